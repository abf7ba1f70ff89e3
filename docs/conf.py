"""Configuration of Sphinx."""

import sys
import tomllib
from pathlib import Path

from sklearn_w2s import __version__

for folder in ("_ext", "_figures"):
    sys.path.insert(0, str(Path(__file__).parent / folder))

project = "sklearn_w2s"
author = "The sklearn_w2s developers"
project_copyright = f"2026, {author}"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
    "api_pages",
    "benchmark_page",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "start"]

_pyproject = Path(__file__).parents[1] / "pyproject.toml"
_urls = tomllib.loads(_pyproject.read_text("utf-8"))["project"]["urls"]
_is_public = ".invalid/" not in _urls["Repository"]

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_w2s"
# The inventories are here, since no network may be where this is built.
intersphinx_mapping = {
    "sklearn": ("https://scikit-learn.org/stable", "_inventories/scikit-learn.inv")
}

html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
}
if _is_public:
    html_theme_options |= {
        "icon_links": [
            {
                "name": "Repository",
                "url": _urls["Repository"],
                "icon": "fa-solid fa-code",
            }
        ],
        # The layout of versions is that of docs/publish.py.
        "switcher": {
            "json_url": f"{_urls['Documentation']}/switcher.json",
            "version_match": "dev" if ".dev" in version else version.rpartition(".")[0],
        },
        "check_switcher": False,
        "navbar_end": ["version-switcher", "theme-switcher", "navbar-icon-links"],
    }
# These pages have no others below them.
html_sidebars = {
    page: []
    for page in (
        *("index", "generated/start/getting_started", "glossary", "bibliography"),
    )
}
html_show_sourcelink = False
toc_object_entries_show_parents = "hide"
html_static_path = ["_static"]
html_css_files = ["site.css"]

bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"

# Prompts and output are not part of what is copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

plot_html_show_formats = False
plot_html_show_source_link = False
plot_formats = ["svg"]
# Plots read the committed results, wherever the documentation is built.
plot_working_directory = str(Path(__file__).parents[1] / "benchmarks" / "results")
plot_rcparams = {"figure.figsize": (7, 3.6), "savefig.bbox": "tight"}
plot_apply_rcparams = True

# The template of classes lists their members.
numpydoc_show_class_members = False
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(collections|dask|joblib|matplotlib|numpy|np|skorch|torch)\..*",
    ),
]

sphinx_gallery_conf = {
    "examples_dirs": ["../examples", "start"],
    "gallery_dirs": ["generated/gallery", "generated/start"],
    "within_subsection_order": "FileNameSortKey",
    "filename_pattern": r"/\d{4}_|/getting_started",
    "doc_module": ("sklearn_w2s",),
    "backreferences_dir": "generated/backreferences",
    "reference_url": {"sklearn_w2s": None},
    "download_all_examples": False,
    "write_computation_times": False,
    "thumbnail_size": (400, 280),
    "remove_config_comments": True,
}


def is_foreign(_app, _what, _name, member, _skip, _options):
    """Leave out the members that a class inherits from scikit-learn."""
    module = getattr(member, "__module__", None) or ""
    return True if module.startswith("sklearn.") else None


def setup(app):
    """Register the hook."""
    app.connect("autodoc-skip-member", is_foreign)
