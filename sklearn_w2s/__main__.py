"""``python -m sklearn_w2s`` is the console script ``sklearn-w2s``."""

from sklearn_w2s.report import main

if __name__ == "__main__":
    raise SystemExit(main())
