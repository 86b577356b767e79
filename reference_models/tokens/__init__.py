"""Pictures as discrete tokens, drawn one after the other.

``quantiser`` turns a picture into a small grid of whole numbers and back; ``predictor`` is a
transformer that says how likely each number is as the next one, given those before it and the
prompt; ``raster`` draws with it. As DALL-E did: Ramesh et al. 2021, "Zero-Shot Text-to-Image
Generation", section 2.
"""
