"""Rows of a PostgreSQL server, as the guide reads them."""

import re
from collections import deque

import numpy as np
import pytest

N_ROWS = 400
DENSITIES = {"north": 0.1, "south": 0.6}


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    reason = "a server, SQLAlchemy and psycopg come with the extra 'test' on Linux"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        pgserver = pytest.importorskip("pgserver", reason=reason)
    sqlalchemy = pytest.importorskip("sqlalchemy", reason=reason)
    pytest.importorskip("psycopg", reason=reason)
    server = pgserver.get_server(folder / "data", cleanup_mode="delete")
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    engine = sqlalchemy.create_engine(address)
    yield engine
    engine.dispose()
    server.cleanup()


@pytest.fixture(scope="module")
def patients(engine):
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    tables = []
    for region, density in DENSITIES.items():
        is_overlap = (np.arange(N_ROWS) < density * N_ROWS).astype(float)
        table = pd.DataFrame({"x0": rng.permutation(is_overlap), "x1": 0.5, "x2": 0.0})
        tables.append(table.assign(region=region))
    pd.concat(tables, ignore_index=True).to_sql("patients", engine, index_label="id")
    return engine


def test_the_code_of_the_guide_runs(patients, known_selector, code_blocks):
    pd = pytest.importorskip("pandas")
    blocks = code_blocks("user_guide/source_selection.rst")
    address = patients.url.render_as_string(hide_password=False)
    first = re.sub(r'create_engine\(".*"\)', f'create_engine("{address}")', blocks[0])
    names = {"pd": pd}

    exec(first, names)
    by_chunks = select(known_selector, names["sources"])
    exec(blocks[1], names)
    draws = {region: names["source_of"](region) for region in DENSITIES}
    by_calls = select(known_selector, draws)

    assert len(blocks) == 2
    assert by_chunks.ranking_.tolist() == by_calls.ranking_.tolist()
    # pandas closes a cursor when all was read.
    for chunks in names["sources"].values():
        deque(chunks, maxlen=0)
    names["connection"].close()
    names["engine"].dispose()


def select(known_selector, sources, **params):
    selector = known_selector(batch_size=20, budget=300, **params)
    return selector.fit_sources(sources)


def test_chunks_of_a_query_are_a_source(patients, known_selector):
    pd = pytest.importorskip("pandas")
    sqlalchemy = pytest.importorskip("sqlalchemy")
    query = sqlalchemy.text("select x0, x1 from patients where region = :region")
    connections = [
        patients.connect().execution_options(stream_results=True) for _ in DENSITIES
    ]
    sources = {
        region: pd.read_sql(query, connection, params={"region": region}, chunksize=30)
        for region, connection in zip(DENSITIES, connections, strict=True)
    }
    selector = select(known_selector, sources)
    for chunks, connection in zip(sources.values(), connections, strict=True):
        assert sum(len(chunk) for chunk in chunks) > 0
        connection.close()
    assert selector.ranking_.tolist() == ["south", "north"]
    assert selector.n_samples_drawn_.sum() == 300


def test_a_run_over_queries_with_an_offset_goes_on(patients, known_selector, tmp_path):
    pd = pytest.importorskip("pandas")
    sqlalchemy = pytest.importorskip("sqlalchemy")
    query = sqlalchemy.text(
        "select id, x0, x1 from patients where region = :region "
        "order by id limit :n offset :offset"
    )

    def source_of(region):
        def draw(n, offset):
            values = {"region": region, "n": n, "offset": offset}
            with patients.connect() as connection:
                rows = pd.read_sql(query, connection, params=values, index_col="id")
            return rows if len(rows) else None

        return draw

    sources = {region: source_of(region) for region in DENSITIES}
    whole = select(known_selector, sources)
    select(known_selector, sources, checkpoint=tmp_path / "run", n_rounds=5)
    resumed = select(known_selector, sources, checkpoint=tmp_path / "run")
    for name, column in whole.history_.items():
        np.testing.assert_array_equal(column, resumed.history_[name])
    np.testing.assert_array_equal(whole.drawn_samples()[0], resumed.drawn_samples()[0])
