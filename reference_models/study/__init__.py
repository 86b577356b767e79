"""Experiments on captions, encoders, coverage and repairs: ``python -m reference_models.study``.

The conditions (``factors``) are trained (``trainer``), drawn with and judged (``evaluate``) by one
command (``make``); what is kept (``drawings``) is compared as planned (``comparisons``) and becomes
four figures and a page. ``recipes`` and ``bars`` find the captions that ``local`` is trained on.
"""
