"""The experiment on the family of models: ``python -m reference_models.study``.

Each idea has a file: the plan, the runs, what is measured in a run, the results that are kept in
the repository, the figures, the sentences that follow from intervals, and the page.
"""
