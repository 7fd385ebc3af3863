"""What is kept: a run's folder, artifacts that runs share, finished runs that travel."""
