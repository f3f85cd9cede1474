"""How good a model is: metrics, intervals, calibration and the report."""
