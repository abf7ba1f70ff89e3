"""Rebuild public data sets from their origins, and say which cannot be rebuilt.

``python -m benchmarks.data_sets FOLDER`` downloads each origin, prepares it, compares
its cells, by a digest, with those of the table that the benchmarks were run on, and
writes `FOLDER/<name>.csv.gz` where they are equal. It needs pandas and a network; it
was tested without one, on origins written from the tables. `SKLEARN_W2S_DATA=FOLDER`
then names the folder to what reads single tables; the scoreboard reads all data sets,
and their `index.json`.
"""

import argparse
import gzip
import hashlib
import io
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

RAW = "https://raw.githubusercontent.com"
ARFF = f"{RAW}/renatopp/arff-datasets/c59f172882592bb58982cc54d2d3c8a2b57e9b73"
EEG = f"{RAW}/rogerior/ixio/b0b821195044ae8ffbdee7e6f2ae07ba334086a9"
PMLB = f"{RAW}/EpistasisLab/pmlb"
CSV = f"{RAW}/jbrownlee/Datasets"
GERMAN_CREDIT = (
    *("checking_status", "duration", "credit_history", "purpose", "credit_amount"),
    *("savings", "employment", "installment_rate", "personal_status_sex"),
    *("other_debtors", "residence_since", "property", "age"),
    *("other_installment_plans", "housing", "existing_credits", "job"),
    *("num_dependents", "telephone", "foreign_worker", "target"),
)
WINE = (
    *("fixed_acidity", "volatile_acidity", "citric_acid", "residual_sugar"),
    *("chlorides", "free_sulfur_dioxide", "total_sulfur_dioxide", "density"),
    *("ph", "sulphates", "alcohol"),
)
# Not rebuilt, and why.
LEFT_OUT = {
    "a random part of a larger file, whose draw is not written down": (
        *("adult", "bank_marketing", "beijing_air", "california_houses"),
        *("credit_default", "diabetes130", "electricity", "nyc_flights"),
    ),
    "rules learned on rows that are not shared": ("adult.lf",),
    "votes or columns written by hand": (
        *("mushroom.lf", "spambase", "spambase.lf", "youtube_spam"),
        *("youtube_spam.lf", "youtube_spam.text"),
    ),
    "no preparation written yet": (
        *("chicago_crime", "covertype", "gas_drift", "heart_disease", "higgs_small"),
        *("telco_churn", "the data sets of text", "the regression tables"),
    ),
}


@dataclass(frozen=True)
class Origin:
    """Where the files of a data set lie, what is made of them, and its digest."""

    urls: tuple[str, ...]
    prepare: Callable
    digest: str


def read_arff(data):
    """Return the table of an ARFF file whose last column is the class."""
    head, body = re.split(r"(?im)^@data\s*$", data.decode("latin-1"), maxsplit=1)
    names = re.findall(r"(?im)^@attribute\s+(\S+)", head)
    table = pd.read_csv(
        io.StringIO(body),
        names=[tidy(name.strip("'\"")) for name in names],
        comment="%",
        na_values="?",
        keep_default_na=False,
        skipinitialspace=True,
    )
    return table.rename(columns={table.columns[-1]: "target"})


def read_pmlb(data):
    """Return the table of a compressed file of the Penn benchmarks."""
    table = pd.read_csv(io.BytesIO(gzip.decompress(data)), sep="\t")
    return table.rename(columns=tidy)


def tidy(name):
    """Return a name in small letters, digits and underscores."""
    return re.sub(r"\W+", "_", name.lower()).strip("_")


def prepare_nursery(data):
    """Drop the class of two rows."""
    table = read_arff(data)
    return table[table["target"] != "recommend"].reset_index(drop=True)


def prepare_mushroom(data):
    """Spell out the classes."""
    table = read_arff(data)
    names = {"e": "edible", "p": "poisonous"}
    return table.assign(target=table["target"].replace(names))


def prepare_eeg(data):
    """Drop four faults of the sensors, and cut the recording in eight blocks."""
    table = read_arff(data)
    values = table.drop(columns="target")
    table = table[((values >= 2000) & (values <= 10000)).all(axis=1)]
    table = table.reset_index(drop=True)
    block = np.arange(len(table)) * 8 // len(table) + 1
    source = [f"block_{number}" for number in block]
    table.insert(table.shape[1] - 1, "source", source)
    return table


def prepare_letter(data):
    """Write the letters, which are numbered from 1."""
    table = read_pmlb(data)
    return table.assign(target=[chr(64 + number) for number in table["target"]])


def prepare_german_credit(data):
    """Name columns and classes."""
    table = pd.read_csv(io.BytesIO(data), names=GERMAN_CREDIT)
    return table.assign(target=table["target"].map({1: "good", 2: "bad"}))


def prepare_wine(red, white):
    """Stack red and white wines; from 6 on they are good."""
    parts = [
        pd.read_csv(io.BytesIO(data), names=(*WINE, "score")).assign(source=source)
        for data, source in ((red, "red"), (white, "white"))
    ]
    table = pd.concat(parts, ignore_index=True)
    target = np.where(table.pop("score") >= 6, "good", "poor")
    return table.assign(target=target)


def digest(table):
    """Return a digest of the names and cells of a table; numbers count as floats."""
    found = hashlib.sha256("\x1f".join(table.columns).encode())
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_numeric_dtype(column):
            found.update(column.to_numpy(dtype="<f8").tobytes())
        else:
            cells = ("" if pd.isna(cell) else str(cell) for cell in column)
            found.update("\x1f".join(cells).encode())
    return found.hexdigest()


def pmlb(commit, name):
    """Return the address of a data set of the Penn benchmarks."""
    return f"{PMLB}/{commit}/datasets/{name}/{name}.tsv.gz"


ORIGINS = {
    "eeg_eye_state": Origin(
        (f"{EEG}/EEG%20Eye%20State.arff",),
        prepare_eeg,
        "fc32b735a25d144ece7484ee9481e6369fcf38ad4f0b44f64f587dfda16e4053",
    ),
    "german_credit": Origin(
        (f"{CSV}/f430307f22e1127f25765343df5d097fc16f113e/german.csv",),
        prepare_german_credit,
        "3c942c3d1b3d51c0d692f0ce840ccd567e2b3e7756d62719e452cc1b880ec290",
    ),
    "letter": Origin(
        (pmlb("e447f5657e001e73642756b664ea1421408aa967", "letter"),),
        prepare_letter,
        "66e5c9929bb687d074c7b66a96535a0abc89368dbaf8d667946ecd98db4a96db",
    ),
    "magic_telescope": Origin(
        (pmlb("e447f5657e001e73642756b664ea1421408aa967", "magic"),),
        read_pmlb,
        "744692646513609db8728f3b91b867e5280daf43980e67982ca58f80dfdf9569",
    ),
    "mushroom": Origin(
        (f"{ARFF}/classification/mushroom.arff",),
        prepare_mushroom,
        "cc358a607ea437d1a5c50748dc16d430fe6a1f8c1f1f20f19ba54a0f9fe9122c",
    ),
    "nursery": Origin(
        (f"{ARFF}/classification/nursery.arff",),
        prepare_nursery,
        "50bb3aed1c479feedc5f9618f7c3fdc6769be8e8dbdb4ad3794dbe8e5708a088",
    ),
    "pendigits": Origin(
        (pmlb("b7c16db7b98464782a404d75ecb305fc01922b95", "pendigits"),),
        read_pmlb,
        "73c1eaa60c875bd55b1a4744fea88bad3629f298628fe12c0a9549081878f2ef",
    ),
    "satimage": Origin(
        (pmlb("253138e2aa4098734fb9154ec3570fbcad5f4197", "satimage"),),
        read_pmlb,
        "5f6d8bd6778b4e1af8cdc3489ab31d8af367ed88a7b601bfca901b2f01905aff",
    ),
    "wine_quality": Origin(
        tuple(
            f"{CSV}/91d19aca5be094c329211e0ce0912c607d6eb114/winequality-{kind}.csv"
            for kind in ("red", "white")
        ),
        prepare_wine,
        "525b664eb6e7d76f1f59763d38caf76853d67e03f99af5ab60a3885862fb58eb",
    ),
}


def download(url):
    """Return the content of an address."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def rebuild(name, folder, fetch=download):
    """Write a data set if its cells are those of the benchmarks, and say what was."""
    origin = ORIGINS[name]
    try:
        table = origin.prepare(*(fetch(url) for url in origin.urls))
    except (urllib.error.URLError, TimeoutError) as error:
        return f"{name}: not reached. {error}"
    except (ValueError, KeyError, OSError) as error:
        return f"{name}: its origin is not what it was. {error}"
    if digest(table) != origin.digest:
        return f"{name}: its cells differ from those of the benchmarks; not written."
    table.to_csv(folder / f"{name}.csv.gz", index=False)
    return f"{name}: {len(table)} rows, cell by cell those of the benchmarks."


def main(arguments=None):
    """Rebuild what can be rebuilt, one line for each data set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where to write the data sets")
    folder = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    lines = [rebuild(name, folder) for name in ORIGINS]
    lines += [f"not rebuilt, {why}: {', '.join(who)}" for why, who in LEFT_OUT.items()]
    print("\n".join(lines))
    written = [name for name in ORIGINS if (folder / f"{name}.csv.gz").exists()]
    return 0 if len(written) == len(ORIGINS) else 1


if __name__ == "__main__":
    sys.exit(main())
