"""A run in the layouts of others: GenEval's, an imagefolder, the metadata of a model card."""
