"""What five papers published, as data: their tables, their claims, and ours beside them.

The papers, as :func:`published` names them:

- irit_2015: Pellegrini and Barriere, "Time-continuous estimation of emotion in music with
  recurrent neural networks", MediaEval 2015.
- munich_2014: Coutinho, Weninger, Schuller and Scherer, "The Munich LSTM-RNN approach to the
  MediaEval 2014 Emotion in Music task", MediaEval 2014.
- munich_2015: Coutinho, Trigeorgis, Zafeiriou and Schuller, "Automatically estimating emotion in
  music with deep long-short term memory recurrent neural networks", MediaEval 2015.
- tsinghua_2016: Li, Xianyu, Tian, Chen, Meng, Xu and Cai, "A deep bidirectional long short-term
  memory based multi-scale approach for music dynamic emotion prediction", ICASSP 2016.
- herremans_2019: Herremans, Cheuk, Luo and Agres, "Untangling indices of emotion in music using
  neural networks", a poster of 2019.
"""

from workbook.papers.board import board
from workbook.papers.comparison import compare
from workbook.papers.tables import claims, comparisons, published, systems
from workbook.papers.verdicts import judge, verdicts

__all__ = ["board", "claims", "compare", "comparisons", "judge", "published", "systems", "verdicts"]
