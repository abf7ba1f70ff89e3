import warnings

import pytest

from sklearn_w2s.report._errors import warnings_as_notes


@pytest.mark.filterwarnings("always")
def test_each_warning_is_told_once_and_nothing_is_written(capsys):
    notes = []
    with warnings_as_notes(notes.append):
        for text in ("one\n  line", "two of 30", "two of 31"):
            warnings.warn(text, UserWarning, stacklevel=1)
    assert notes == ["one line (UserWarning)", "two of 30 (UserWarning)"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.filterwarnings("ignore:quiet")
def test_filters_stay_those_of_the_user():
    notes = []
    with warnings_as_notes(notes.append):
        warnings.warn("quiet", UserWarning, stacklevel=1)
        with pytest.raises(UserWarning, match="loud"):
            warnings.warn("loud", UserWarning, stacklevel=1)
    assert notes == []


def test_the_former_way_of_showing_is_restored_after_an_error():
    before = warnings.showwarning

    with pytest.raises(KeyError), warnings_as_notes(print):
        {}["missing"]
    assert warnings.showwarning is before
