//! What the archive leaves out, why, and how one gets it.

/// A kind of file that is left out.
#[derive(Debug)]
pub(crate) struct LeftOut {
    /// Which files, in words.
    pub(crate) files: &'static str,
    /// How to get them.
    pub(crate) remedy: &'static str,
    /// Whether a path is such a file; `None` for what is not in the repository anyway.
    is: Option<fn(&str) -> bool>,
}

/// Everything that is left out.
pub(crate) const LEFT_OUT: [LeftOut; 6] = [
    LeftOut {
        files: "trained weights, `crates/kaggle/weights/*.safetensors`",
        remedy: "`cargo run -p kaggle -- train` trains them again",
        is: Some(|path| {
            path.starts_with("crates/kaggle/weights/") && path.ends_with(".safetensors")
        }),
    },
    LeftOut {
        files: "learned parameters of recorded runs, `book/records/**/parameters.npz`",
        remedy: "`cargo run -p ffnn -- sweep` learns them again",
        is: Some(|path| path.starts_with("book/records/") && path.ends_with("/parameters.npz")),
    },
    LeftOut {
        files: "build products and training runs, `target/` and `experiments/`",
        remedy: "the commands above write them",
        is: Some(|path| path.starts_with("target/") || path.starts_with("experiments/")),
    },
    LeftOut {
        files: "predictions, `submission.csv` and `sample_submission.csv`",
        remedy: "`cargo run -p kaggle` writes `submission.csv`",
        is: Some(|path| matches!(path, "submission.csv" | "sample_submission.csv")),
    },
    LeftOut {
        files: "the data sets Fashion-MNIST and CIFAR-10",
        remedy: "`cargo xtask data` finds or fetches them, and checks every file",
        is: None,
    },
    LeftOut {
        files: "the test data of the course",
        remedy: "`cargo xtask test --course-data DIR` reads it; without it the tests use `fixtures/`, \
                 which is generated",
        is: None,
    },
];

/// The kind of this file, if it is one that is left out.
pub(crate) fn kind_of(path: &str) -> Option<&'static LeftOut> {
    const ALL: &[LeftOut] = &LEFT_OUT;
    ALL.iter().find(|kind| kind.is.is_some_and(|is| is(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_products_are_left_out_and_code_and_fixtures_are_not() {
        for path in [
            "crates/kaggle/weights/cifar10.safetensors",
            "book/records/iris-sweep/best/parameters.npz",
            "target/debug/xtask",
            "submission.csv",
        ] {
            assert!(kind_of(path).is_some(), "{path}");
        }
        for path in [
            "crates/kaggle/weights/README.md",
            "crates/kaggle/src/submission.rs",
            "fixtures/course/TestReLU.npz",
            "crates/datasets/iris/iris_test_data.npy",
            "book/records/iris-sweep/best/metrics.csv",
        ] {
            assert!(kind_of(path).is_none(), "{path}");
        }
    }
}
