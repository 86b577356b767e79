from hypothesis import HealthCheck, settings

# The clock says nothing about a property on a machine that does other work.
settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")
