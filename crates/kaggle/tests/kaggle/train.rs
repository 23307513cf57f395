//! The training commands, as far as they go without the data sets, which no test fetches; `.ci/run` has
//! them train on the real ones.

use crate::machine::Machine;

#[test]
fn without_data_a_training_says_how_to_get_some_and_leaves_nothing() {
    let machine = Machine::new();
    for (arguments, set) in [
        ("mlp --offline", "fashion-mnist"),
        ("train --offline", "cifar-10"),
        ("ablate --offline", "cifar-10"),
        ("train --resume --offline", "cifar-10"),
    ] {
        let error = machine.fail(arguments, 1);
        assert!(error.contains(&format!("cargo xtask data {set}")), "{arguments}: {error}");
        assert!(!machine.path("experiments").exists(), "{arguments}");
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_a_usage_error_before_anything_is_read() {
    let machine = Machine::new();
    for (arguments, expected) in [
        ("--threads 0", "0 is not in 1..=1024"),
        ("--threads many", "invalid"),
        ("--threads 65535", "65535 is not in 1..=1024"),
        ("--threads -1", "-1 is not in 1..=1024"),
        ("--offline evaluate", "cannot be used with"),
        ("--tta evaluate", "[possible values: none, mirror, shifts, selective]"),
        ("predict", "unrecognized subcommand"),
        ("--test-data", "a value is required"),
        ("evaluate --test-data x.npy", "unexpected argument"),
        ("train --epochs 0", "0 is not in 1.."),
        ("train --batch-size 0", "0 is not in 1.."),
        ("train --lr fast", "the learning rate must be a finite number above 0"),
        ("train --lr -1", "the learning rate must be a finite number above 0"),
        ("train --lr inf", "the learning rate must be a finite number above 0"),
        ("train --epochs -1", "invalid digit"),
        ("train --batch-size -1", "-1 is not in 1.."),
        ("train --seed -1", "invalid digit"),
        ("train --seed 9223372036854775808", "9223372036854775807"),
        ("ablate --seeds -1", "invalid digit"),
        ("ablate --seeds 0,1 --parts flip --task 4", "--task must be from 0 to 3, but is 4"),
        ("ablate --emit cron", "[possible values: slurm, parallel, shell]"),
        ("ablate --emit slurm --overwrite", "cannot be used with"),
        ("train --without dropout", "[possible values: batch-norm, flip, shift"),
        ("ablate --parts flip,flop", "invalid value 'flop'"),
        ("train --resume --overwrite", "cannot be used with"),
        ("train --model-name ../up", "../up"),
        ("train --recipe slow", "possible values: plain, fast, best"),
        ("mlp --without flip", "unexpected argument"),
        ("export --output a.safetensors", "--checkpoint"),
        // A part of another recipe.
        (
            "train --recipe best --without he-init",
            "the recipe of best has no part he-init to leave out: expected one of flip, shift, \
             label-smoothing, weight-decay, schedule, max-pooling, whitening, dirac-init, muon",
        ),
        (
            "ablate --recipe plain --parts flip,muon",
            "the recipe of cnn has no part muon to leave out: expected one of batch-norm, flip, shift, \
             label-smoothing, weight-decay, momentum, schedule, depth, max-pooling, he-init",
        ),
    ] {
        let error = machine.fail(arguments, 2);
        assert!(error.contains(expected), "{arguments}: {error}");
    }
    assert_eq!(machine.names(), [""; 0]);
}

/// The tasks of an ablation, as far as they go without data.
#[test]
fn an_ablation_is_a_list_of_tasks() {
    let machine = Machine::new();
    let ablate = "ablate --smoke --seeds 0,1 --parts flip";
    let (script, _) = machine.succeed(&format!("{ablate} --emit parallel"));
    assert!(script.contains("\nseq 0 3 | parallel --quote "), "{script}");
    assert!(script.contains(&format!("kaggle {ablate} --task '{{}}' || exit\n")), "{script}");
    let (list, _) = machine.succeed(&format!("{ablate} --status"));
    let names = ["full/seed-0", "full/seed-1", "flip/seed-0", "flip/seed-1"];
    let lines = (0..).zip(names).map(|(n, name)| format!("{n:4}  waiting      {name}\n"));
    assert_eq!(list, lines.collect::<String>());
    let error = machine.fail(&format!("{ablate} --lr 0.5 --task 1 --offline"), 1);
    assert!(error.contains("settings.lr: ") && error.contains(" in the plan, 0.5 now"), "{error}");
    let error = machine.fail(&format!("{ablate} --collect"), 1);
    assert!(
        error.contains("4 of 4 tasks are not finished; first do\n  task 0 (full/seed-0, "),
        "{error}"
    );
}

#[test]
fn exported_weights_predict_the_same_and_are_smaller() {
    let machine = Machine::with_checkpoint();
    let (said, _) =
        machine.succeed("export --checkpoint model.safetensors --output weights.safetensors");
    assert!(said.starts_with("written: weights.safetensors ("), "{said}");
    let size = |name: &str| std::fs::metadata(machine.path(name)).unwrap().len();
    assert!(size("weights.safetensors") < size("model.safetensors"));
    for name in ["model", "weights"] {
        machine.succeed(&format!(
            "--offline --checkpoint {name}.safetensors --output {name}.csv --quiet"
        ));
    }
    assert_eq!(machine.read("model.csv"), machine.read("weights.csv"));
    machine.succeed("export --checkpoint model.safetensors --output half.safetensors --half");
    assert!(size("half.safetensors") < size("weights.safetensors"));
    machine.succeed("--offline --checkpoint half.safetensors --output half.csv --quiet");
    let error = machine.fail("export --checkpoint no.safetensors --output x.safetensors", 1);
    assert!(error.contains("no.safetensors"), "{error}");
    assert!(!machine.path("x.safetensors").exists());
}
