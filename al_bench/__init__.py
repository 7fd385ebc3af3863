"""al_bench: adversarial active learning, reproduced, compared and used."""
