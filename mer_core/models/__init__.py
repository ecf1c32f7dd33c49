"""Regressors of valence and arousal, all with the same two methods.

`model.fit(features, labels, *, validation=None, unlabelled=None)` returns the model,
`model.predict(features)` a prediction for every feature row. Hyper-parameters are keyword-only
constructor arguments; `Model.paper()` builds the paper's setting. `save(model, path)` writes a
fitted model, `load(path)` reads it.
"""

import lazy_loader

# Loaded on first use: the baselines need no torch.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "autoencoder": ["AELSTM", "CNNLSTM", "VAELSTM"],
        "baselines": ["SVR", "Constant", "Linear"],
        "delayed": ["Delayed", "DelayedLinear"],
        "elm": ["ELM"],
        "irit": ["ElmanRNN", "Preprocessed", "SecondNetwork"],
        "munich": ["LSTM", "FoldEnsemble"],
        "pretrained": ["WindowedRidge", "pretrained"],
        "saved": ["load", "save"],
        "triplet": ["TripletNetwork"],
        "tsinghua": ["BLSTM", "MultiScaleBLSTM"],
    },
)
