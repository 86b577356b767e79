"""Pictures that exist already: found in the layouts of the field, matched to cells, and scored."""
