"""The bundled CLIP: vocabulary, captions that know when they are true, training, calibration."""
