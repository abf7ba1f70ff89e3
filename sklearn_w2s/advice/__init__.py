"""Whether weak-to-strong pays on the data at hand, and what to do instead or next."""

from sklearn_w2s.advice._advise import Advice, advise

__all__ = ["Advice", "advise"]
