"""The overlap measures that draw nothing, for which laws hold exactly."""

from sklearn_w2s.overlap._measures import MEASURES, new_measure

EXACT_MEASURES = [name for name in MEASURES if not new_measure(name).is_random]
