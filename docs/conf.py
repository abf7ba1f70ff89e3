"""Configuration of Sphinx."""

from sklearn_w2s import __version__

project = "sklearn_w2s"
author = "The sklearn_w2s developers"
project_copyright = f"2026, {author}"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {
    "description": "Train a strong classifier from a weak one",
    # Lines of code of 88 characters fit.
    "page_width": "1060px",
    "code_font_size": "0.8em",
}
html_static_path = ["../examples/gallery.css"]
html_css_files = ["gallery.css"]

# The template of classes lists their members.
numpydoc_show_class_members = False
nitpick_ignore_regex = [
    ("py:.*", r"(collections|joblib|matplotlib|numpy|np|sklearn|skorch|torch)\..*"),
]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "generated/gallery",
    "within_subsection_order": "FileNameSortKey",
    "filename_pattern": r"/\d{4}_",
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
