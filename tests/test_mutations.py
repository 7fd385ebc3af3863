"""A turned sign in a loss makes the test fail that is named beside it: a list that no loss is missing from."""

import ast
from pathlib import Path

import pytest
from mutations import Mutation, mutated

PACKAGE = Path(__file__).parent.parent / "al_bench"
LOSSES = "al_bench.training.losses"
TEST = "training/test_losses.py::test_"

MUTATIONS = [
    Mutation(f"{LOSSES}.cross_entropy", "return functional.cross_entropy(logits, labels)",
             "return -functional.cross_entropy(logits, labels)", TEST + "class_255_counts_where_labels_are_classes"),
    Mutation(f"{LOSSES}.cross_entropy", "return mean * some", "return -mean * some",
             TEST + "ignored_pixels_do_not_count"),
    Mutation(f"{LOSSES}.smoothed_cross_entropy", "return functional", "return -functional",
             TEST + "a_smoothed_label_is_nine_tenths_of_it_and_a_tenth_of_all"),
    Mutation(f"{LOSSES}.cross_entropy_each", "return functional", "return -functional",
             TEST + "cross_entropies_of_each_input"),
    Mutation(f"{LOSSES}.cross_entropy_each", "return pixels", "return -pixels", TEST + "cross_entropies_of_each_input"),
    Mutation(f"{LOSSES}.hinge", "return functional", "return -functional",
             TEST + "hinge_of_two_classes_is_that_of_a_linear_svm"),
    Mutation(f"{LOSSES}.hinge", "margin=1.0", "margin=-1.0", TEST + "hinge_of_more_classes_against_plain_loops"),
    Mutation(f"{LOSSES}.on_boundary", "- logits[:, 0]", "+ logits[:, 0]",
             TEST + "points_of_the_boundary_cost_the_square_of_the_difference_of_their_logits"),
    Mutation(f"{LOSSES}.on_boundary", "return raised(", "return -raised(",
             TEST + "points_of_the_boundary_cost_the_square_of_the_difference_of_their_logits"),
    Mutation(f"{LOSSES}.ranking", "margin - order", "margin + order", TEST + "ranking_by_hand"),
    Mutation(f"{LOSSES}.ranking", "- predicted[1", "+ predicted[1", TEST + "ranking_by_hand"),
    Mutation(f"{LOSSES}.ranking", "- target[1", "+ target[1", TEST + "ranking_by_hand"),
    Mutation(f"{LOSSES}.says", "return functional", "return -functional", "gan/test_dcgan.py::test_closed_form"),
    Mutation(f"{LOSSES}.gradient_penalty", "norms - target", "norms + target",
             TEST + "gradient_penalty_of_a_linear_critic"),
    Mutation(f"{LOSSES}.gradient_penalty", "return (norms", "return -(norms",
             TEST + "gradient_penalty_of_a_linear_critic"),
    Mutation(f"{LOSSES}.interpolates", "first + weight", "first - weight",
             TEST + "interpolates_lie_between_their_ends_one_weight_a_row"),
    Mutation(f"{LOSSES}.interpolates", "second - first", "second + first",
             TEST + "interpolates_lie_between_their_ends_one_weight_a_row"),
    Mutation(f"{LOSSES}.consistency", "values[0] - values[1]", "values[0] + values[1]",
             TEST + "consistency_in_closed_form"),
    Mutation(f"{LOSSES}.consistency", "features[0] - features[1]", "features[0] + features[1]",
             TEST + "consistency_against_a_loop_over_images"),
    Mutation(f"{LOSSES}.consistency", "apart + feature_weight", "apart - feature_weight",
             TEST + "consistency_in_closed_form"),
    Mutation(f"{LOSSES}.consistency", "features_apart) - margin", "features_apart) + margin",
             TEST + "consistency_against_a_loop_over_images"),
    Mutation(f"{LOSSES}.domain_loss", "return first + functional", "return first - functional",
             TEST + "domain_loss_where_the_discriminator_cannot_tell"),
    Mutation(f"{LOSSES}.domain_loss", "return first + functional", "return -first + functional",
             TEST + "domain_loss_where_the_discriminator_cannot_tell"),
    Mutation(f"{LOSSES}.domain_loss", "torch.ones_like(unlabeled), torch.zeros_like(labeled)",
             "torch.zeros_like(unlabeled), torch.ones_like(labeled)",
             TEST + "domain_loss_is_low_where_unlabeled_is_high"),
    Mutation(f"{LOSSES}.labeledness_loss", "domain_loss(labeled, unlabeled)", "domain_loss(unlabeled, labeled)",
             "learner/test_mal.py::test_a_whole_step_has_the_gradients_of_algorithm_1"),
    Mutation(f"{LOSSES}.smoothed_entropy", "return -(probs", "return (probs",
             "learner/test_mal.py::test_a_whole_step_has_the_gradients_of_algorithm_1"),
    Mutation(f"{LOSSES}.bias_coefficient", "return (gamma - alpha)", "return (gamma + alpha)",
             TEST + "the_bias_coefficient_of_the_papers_example_and_of_its_first_rounds"),
    Mutation(f"{LOSSES}.bias_coefficient", "* (1 + alpha)", "* (1 - alpha)",
             TEST + "the_bias_coefficient_of_the_papers_example_and_of_its_first_rounds"),
    Mutation(f"{LOSSES}.wasserstein", "raised(unlabeled).mean() - bias", "raised(unlabeled).mean() + bias",
             TEST + "wasserstein_in_closed_form"),
    Mutation(f"{LOSSES}.wasserstein", "return raised", "return -raised", TEST + "wasserstein_in_closed_form"),
    Mutation("al_bench.network.prototypes._Reversed.backward", ".neg()", "",
             "learner/test_mal.py::test_a_whole_step_has_the_gradients_of_algorithm_1"),
    Mutation("al_bench.gan.dcgan.Dcgan.discriminator_loss_of", "says(real, 1) + says", "says(real, 1) - says",
             "gan/test_dcgan.py::test_closed_form"),
    Mutation("al_bench.gan.dcgan.Dcgan.generator_loss_of", "return says", "return -says",
             "gan/test_dcgan.py::test_the_generator_does_not_saturate"),
    Mutation("al_bench.gan.sngan.Sngan.discriminator_loss_of", "1 - real", "1 + real",
             "gan/test_sngan.py::test_the_hinge_asks_for_no_more_than_a_margin_of_one"),
    Mutation("al_bench.gan.sngan.Sngan.discriminator_loss_of", "1 + fake", "1 - fake",
             "gan/test_sngan.py::test_the_hinge_asks_for_no_more_than_a_margin_of_one"),
    Mutation("al_bench.gan.sngan.Sngan.discriminator_loss_of", "says(real, 1) + says", "says(real, 1) - says",
             "gan/test_sngan.py::test_cross_entropy_is_that_of_both_halves"),
    Mutation("al_bench.gan.sngan.Sngan.generator_loss_of", "return -fake", "return fake",
             "gan/test_sngan.py::test_the_hinge_asks_for_no_more_than_a_margin_of_one"),
    Mutation("al_bench.gan.sngan.Sngan.generator_loss_of", "else says", "else -says",
             "gan/test_sngan.py::test_cross_entropy_is_that_of_both_halves"),
    *(Mutation(f"al_bench.gan.wgan_gp.WganGp.{method}", expression, changed,
               "gan/test_wgan_gp.py::test_a_linear_critic_in_closed_form", (("signed", True),))
      for method, expression, changed in (
          ("discriminator_loss", "of_fake) + self.penalty", "of_fake) - self.penalty"),
          ("discriminator_loss_of", "mean() - real", "mean() + real"),
          ("discriminator_loss_of", "return fake", "return -fake"),
          ("generator_loss_of", "return -fake", "return fake"),
          ("penalty", "return self", "return -self"))),
    Mutation("al_bench.gan.wgan_ct.WganCt.discriminator_loss", "wasserstein + penalty", "wasserstein - penalty",
             "gan/test_wgan_ct.py::test_a_linear_critic_in_closed_form"),
    Mutation("al_bench.gan.wgan_ct.WganCt.discriminator_loss", "penalty + consistency", "penalty - consistency",
             "gan/test_wgan_ct.py::test_a_linear_critic_in_closed_form"),
    *(Mutation("al_bench.gan.game.Game.step", f"_optimizer, {player}_loss)", f"_optimizer, -{player}_loss)",
               "gan/test_wgan_gp.py::test_the_game_is_the_one_written_by_hand", (("precision", "32-true"),))
      for player in ("discriminator", "generator")),
    *(Mutation("al_bench.learner.waal.MinMax.step", expression, changed, f"learner/test_waal.py::test_{test}",
               arguments)
      for expression, changed, test, arguments in (
          ("loss + self.trade_off", "loss - self.trade_off", "one_step_is_algorithm_1_by_hand", ()),
          ("loss + self.trade_off", "-loss + self.trade_off", "one_step_is_algorithm_1_by_hand", ()),
          ("-self.trade_off * objective", "self.trade_off * objective", "one_step_is_algorithm_1_by_hand", ()),
          ("distance - sign", "distance + sign",
           "the_penalty_falls_and_the_sign_of_the_published_code_makes_it_rise", (("reversed_penalty", False),)),
          ("sign = -1 if", "sign = 1 if",
           "the_penalty_falls_and_the_sign_of_the_published_code_makes_it_rise", (("reversed_penalty", True),)))),
    *(Mutation("al_bench.learner.mal.Alignment.step", expression, changed,
               "learner/test_mal.py::test_a_whole_step_has_the_gradients_of_algorithm_1")
      for expression, changed in (
          ("-self.settings.weight", "self.settings.weight"),
          ("self.update(optimizers[0], loss", "self.update(optimizers[0], -loss"))),
    Mutation("al_bench.learner.mal.Alignment.discriminate", "self.update(optimizers[2], loss)",
             "self.update(optimizers[2], -loss)",
             "learner/test_mal.py::test_a_whole_step_has_the_gradients_of_algorithm_1"),
    Mutation("al_bench.learner.mal.Alignment.discriminate", "self.update(optimizers[2], loss, ",
             "self.update(optimizers[2], -loss, ", "learner/test_mal.py::test_an_adversarial_d_is_hidden_from"),
    *(Mutation(f"al_bench.learner.acgan.ConditionalGame.{method}", expression, changed,
               f"learner/test_acgan.py::test_{test}", arguments)
      for method, expression, changed, test, arguments in (
          ("step", "loss + self.settings.class_weight", "loss - self.settings.class_weight",
           "the_losses_are_equations_1_to_5", ()),
          ("step", "loss + self.settings.class_weight", "-loss + self.settings.class_weight",
           "the_losses_are_equations_1_to_5", ()),
          ("step", "generator_loss + weighted", "generator_loss - weighted", "the_losses_are_equations_1_to_5", ()),
          ("step", "generator_loss + weighted", "-generator_loss + weighted", "the_losses_are_equations_1_to_5", ()),
          ("losses_of_critic", "of_fake) + self.gan", "of_fake) - self.gan",
           "a_critic_is_held_by_its_penalty_between_the_fakes_and_what_d_is_shown", (("reads", "labeled"),)),
          ("losses_of_critic", "class_loss + losses", "class_loss - losses",
           "c_learns_from_fakes_only_where_that_is_asked_for", (("classify_fakes", True),)))),
    Mutation("al_bench.learner.h_divergence.Adversarial.step", "loss - self.trade_off", "loss + self.trade_off",
             "learner/test_h_divergence.py::test_the_features_raise_it_and_the_discriminator_lowers_it_in_one_step"),
    Mutation("al_bench.learner.h_divergence.Adversarial.step", "_optimizer, self.trade_off",
             "_optimizer, -self.trade_off",
             "learner/test_h_divergence.py::test_the_features_raise_it_and_the_discriminator_lowers_it_in_one_step"),
    Mutation("al_bench.learner.h_divergence.Adversarial.domain_loss",
             "self.model.discriminate(unlabeled), self.model.discriminate(labeled)",
             "self.model.discriminate(labeled), self.model.discriminate(unlabeled)",
             "learner/test_h_divergence.py::test_labeledness_is_low_on_what_is_unlike_the_labeled_inputs"),
    Mutation("al_bench.learner.learning_loss.Ranked.step", "loss + self", "loss - self",
             "learner/test_learning_loss.py::test_it_learns_where_the_classifier_is_wrong"),
    Mutation("al_bench.learner.learning_loss.Ranked.step", "loss + self", "-loss + self",
             "learner/test_learning_loss.py::test_it_learns_where_the_classifier_is_wrong"),
    *(Mutation("al_bench.learner.boundary.Joint.joint", expression, changed,
               "learner/test_boundary.py::test_the_objective_by_hand")
      for expression, changed in (("hinge + square", "hinge - square"), ("square + settings", "square - settings"))),
    Mutation("al_bench.training.classification.Classification.step", "labels) + (1 - own)", "labels) - (1 - own)",
             "training/test_cut_mix.py::test_the_loss_is_that_of_both_labels_by_their_shares"),
    Mutation("al_bench.training.stacked.Stack.step", "self.size * self.first", "-self.size * self.first",
             "training/test_stacked.py::test_a_stack_lowers_the_loss_of_each"),
    Mutation("al_bench.training.classification.Classification.step", "optimizers[0], loss", "optimizers[0], -loss",
             "learner/test_supervised.py::test_hinge_stops_at_its_margin_where_cross_entropy_goes_on"),
    Mutation("al_bench.representation.encoder.Inversion.step", "self.network(images) - latents",
             "self.network(images) + latents",
             "representation/test_latent.py::test_the_encoder_inverts_the_generator"),
    Mutation("al_bench.feature.autoencoder.Reconstruction.step", ") - images)", ") + images)",
             "feature/test_autoencoder.py::test_squared_error_is_summed_over_pixels"),
    *(Mutation(f"al_bench.strategy.vaal.Game.{method}", expression, changed, f"strategy/test_vaal.py::test_{test}",
               arguments)
      for method, expression, changed, test, arguments in (
          ("step", "optimizers[0], loss", "optimizers[0], -loss", "the_auto_encoder_learns_to_give_images_back", ()),
          ("step", "optimizers[1], loss", "optimizers[1], -loss",
           "the_discriminator_learns_which_images_are_labeled", ()),
          ("step", "for mean in means)", "for mean in reversed(means))",
           "the_discriminator_learns_which_images_are_labeled", ()),
          ("vae_loss", "softplus(-raised", "softplus(raised",
           "the_auto_encoder_wants_both_kinds_called_labeled", (("weight", 1.0),)),
          ("vae_loss", "loss + self.settings", "loss - self.settings",
           "the_auto_encoder_wants_both_kinds_called_labeled", (("weight", 1.0),)),
          ("vae_loss", "loss + self.reconstruction", "loss - self.reconstruction",
           "the_auto_encoder_wants_both_kinds_called_labeled", (("weight", 1.0),)),
          ("reconstruction", "-0.5", "0.5", "errors_and_divergence_weigh_as_the_code_or_alike",
           (("balance", "code"), ("weights", (1 / (8 * 256), 1.0)))),
          ("reconstruction", "reconstructed - images", "reconstructed + images",
           "errors_and_divergence_weigh_as_the_code_or_alike",
           (("balance", "code"), ("weights", (1 / (8 * 256), 1.0)))),
          ("reconstruction", "mean() + self", "mean() - self", "errors_and_divergence_weigh_as_the_code_or_alike",
           (("balance", "code"), ("weights", (1 / (8 * 256), 1.0)))),
          ("reconstruction", "sum() + self", "sum() - self", "errors_and_divergence_weigh_as_the_code_or_alike",
           (("balance", "elbo"), ("weights", (1 / 8, 1 / 8)))))),
]  # fmt: skip


def ids(mutation: Mutation) -> str:
    return f"{mutation.function.removeprefix('al_bench.')}: {mutation.mutated}"


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=ids)
def test_a_turned_sign_is_seen(mutation: Mutation) -> None:
    """The test passes as the code stands, or it would fail in its own file; against the other sign it fails."""
    with mutated(mutation), pytest.raises((AssertionError, ArithmeticError)):
        mutation.run()


def test_each_is_another_and_ends_with_the_code_as_it_was() -> None:
    assert len({mutation[:3] for mutation in MUTATIONS}) == len(MUTATIONS)
    for mutation in MUTATIONS[:3]:
        with pytest.raises(ZeroDivisionError), mutated(mutation):
            raise ZeroDivisionError
        mutation.run()


def losses_of(path: Path) -> set[str]:
    """The functions of a module that a training minimises: those of `losses`, steps, and a GAN's two losses."""
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and path.stem == "losses":
            found.add(f"{module}.{node.name}")
        elif isinstance(node, ast.ClassDef):
            names = [part.name for part in node.body if isinstance(part, ast.FunctionDef)]
            found |= {f"{module}.{node.name}.{name}" for name in names if name == "step" or name.endswith("loss_of")}
    return found


WITHOUT = {
    "al_bench.gan.Gan.discriminator_loss_of": "abstract",
    "al_bench.gan.Gan.generator_loss_of": "abstract",
    "al_bench.training.module.Module.step": "abstract",
}


def test_no_loss_is_without_its_line() -> None:
    losses = set().union(*(losses_of(path) for path in PACKAGE.rglob("*.py")))
    named = {mutation.function for mutation in MUTATIONS}
    classes = {name.rpartition(".")[0] for name in named}  # a step that hands its sum to a method of its own
    missing = {name for name in losses - named - WITHOUT.keys() if name.rpartition(".")[0] not in classes}
    assert not missing
    assert WITHOUT.keys() <= losses
