"""Where to draw from: the source with the highest overlap density."""

from sklearn_w2s.sources._selector import UCBSourceSelector

__all__ = ["UCBSourceSelector"]
