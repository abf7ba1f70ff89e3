"""Texts as activations of language models, which need the extra `text`, or as words."""

from sklearn_w2s.text._choices import multiple_choice_to_binary
from sklearn_w2s.text._encoder import LanguageModelEncoder
from sklearn_w2s.text._word_vectors import WordVectorEncoder

__all__ = ["LanguageModelEncoder", "WordVectorEncoder", "multiple_choice_to_binary"]
