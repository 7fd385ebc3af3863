"""What Hydra composes: a run's identity, resolvers, the command line, experiments, the validation of arguments."""
