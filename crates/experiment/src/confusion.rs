//! `confusion.csv`: which class was taken for which.

use std::path::Path;

use ndarray::Array2;

use crate::{ExperimentError, files};

/// Counts of the examples of each class that were taken for each class, with the names of the classes.
///
/// There is at least one example.
///
/// # Shapes
/// counts `(classes, classes)`: rows are the true classes, columns the predicted ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    class_names: Vec<String>,
    counts: Array2<u64>,
}

/// Two classes, one of which is taken for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfusedPair {
    /// The true class.
    pub truth: usize,
    /// The class that was predicted.
    pub predicted: usize,
    /// The number of times.
    pub count: u64,
}

impl Confusion {
    /// The matrix with these counts, a row and a column for each class.
    fn new(class_names: Vec<String>, counts: Array2<u64>) -> Result<Self, ExperimentError> {
        if counts.sum() == 0 {
            let expected = "of at least one example";
            return Err(ExperimentError::value("a confusion matrix", expected, "of none"));
        }
        Ok(Self { class_names, counts })
    }

    /// The matrix of a class for each example, and the class that was predicted for it.
    ///
    /// # Errors
    /// If there is no example, or a class has no name.
    pub fn of_predictions(
        class_names: Vec<String>,
        pairs: impl IntoIterator<Item = (usize, usize)>,
    ) -> Result<Self, ExperimentError> {
        let classes = class_names.len();
        let mut counts = Array2::zeros((classes, classes));
        for (truth, predicted) in pairs {
            *counts.get_mut([truth, predicted]).ok_or_else(|| {
                let got = format!("{truth}, predicted {predicted}, of {classes}");
                ExperimentError::value("a class", "below the number of names", got)
            })? += 1;
        }
        Self::new(class_names, counts)
    }

    /// The names of the classes.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The counts: rows are the true classes, columns the predicted ones.
    pub fn counts(&self) -> &Array2<u64> {
        &self.counts
    }

    /// The number of examples.
    pub fn examples(&self) -> u64 {
        self.counts.sum()
    }

    /// The number of examples that were classified rightly.
    pub fn right(&self) -> u64 {
        self.counts.diag().sum()
    }

    /// The fraction of examples that were classified rightly.
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / self.examples() as f64
    }

    /// The fraction of a class's examples that were recognised; none if it has no example.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn recall(&self, class: usize) -> Option<f64> {
        self.share(class, self.counts.row(class).sum())
    }

    /// The fraction of what was taken for a class that is of it; none if nothing was.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn precision(&self, class: usize) -> Option<f64> {
        self.share(class, self.counts.column(class).sum())
    }

    fn share(&self, class: usize, of: u64) -> Option<f64> {
        (of > 0).then(|| self.counts[[class, class]] as f64 / of as f64)
    }

    /// The `n` most frequent mistakes, the most frequent first; among equals, in the order of the
    /// classes. Fewer if there are fewer.
    pub fn most_confused(&self, n: usize) -> Vec<ConfusedPair> {
        let mut pairs: Vec<_> = self
            .counts
            .indexed_iter()
            .filter(|&((truth, predicted), &count)| truth != predicted && count > 0)
            .map(|((truth, predicted), &count)| ConfusedPair { truth, predicted, count })
            .collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        pairs.truncate(n);
        pairs
    }

    /// Writes the matrix: the column `true`, then a column for each class.
    pub fn write(&self, file: &Path) -> Result<(), ExperimentError> {
        let names = &self.class_names;
        let header = ["true".to_owned()].into_iter().chain(names.iter().cloned()).collect();
        let rows = names.iter().zip(self.counts.outer_iter()).map(|(name, counts)| {
            [name.clone()].into_iter().chain(counts.iter().map(u64::to_string)).collect()
        });
        files::write_csv::<Vec<String>>(file, &[header].into_iter().chain(rows).collect::<Vec<_>>())
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// If there is no such file, or it is not such a matrix.
    pub fn read(file: &Path) -> Result<Self, ExperimentError> {
        let rows: Vec<(String, Vec<u32>)> = files::read_csv(file)?;
        let (names, counts): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let counts: Vec<_> = counts.concat().into_iter().map(u64::from).collect();
        let (classes, got) = (names.len(), format!("{} counts", counts.len()));
        let matrix = Array2::from_shape_vec((classes, classes), counts).map_err(|_| {
            let expected = format!("{classes} rows of {classes} counts");
            ExperimentError::invalid(file, expected, got)
        })?;
        Self::new(names, matrix)
            .map_err(|error| ExperimentError::invalid(file, "a confusion matrix", error))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use ndarray::array;

    use super::*;

    pub(crate) fn names() -> Vec<String> {
        ["cat", "dog", "a, \"b\" & <c>"].map(str::to_owned).to_vec()
    }

    pub(crate) fn confusion() -> Confusion {
        Confusion::new(names(), array![[7, 3, 0], [5, 4, 1], [0, 1, 9]]).unwrap()
    }

    #[test]
    fn the_measures_are_those_of_a_matrix_by_hand() {
        let confusion = confusion();
        assert_eq!((confusion.examples(), confusion.right()), (30, 20));
        assert_eq!(confusion.accuracy(), 20.0 / 30.0);
        assert_eq!(confusion.recall(0), Some(0.7));
        assert_eq!(confusion.precision(0), Some(7.0 / 12.0));
        assert_eq!(confusion.precision(2), Some(0.9));
        let pairs: Vec<_> =
            confusion.most_confused(3).iter().map(|p| (p.truth, p.predicted, p.count)).collect();
        assert_eq!(pairs, [(1, 0, 5), (0, 1, 3), (1, 2, 1)], "equals in the order of the classes");
        assert_eq!(confusion.most_confused(100).len(), 4, "zeros are no mistakes");
    }

    #[test]
    fn predictions_are_counted() {
        let pairs = [(0, 0), (0, 1), (2, 2), (0, 1)];
        let confusion = Confusion::of_predictions(names(), pairs).unwrap();
        assert_eq!(confusion.counts(), &array![[1, 2, 0], [0, 0, 0], [0, 0, 1]]);
        assert_eq!((confusion.recall(1), confusion.precision(0)), (None, Some(1.0)));
        let error = Confusion::of_predictions(names(), [(0, 3)]).unwrap_err().to_string();
        assert!(error.contains("0, predicted 3, of 3"), "{error}");
    }

    #[test]
    fn a_matrix_reads_back_as_it_was_written_and_what_is_none_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("confusion.csv");
        confusion().write(&file).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("true,cat,dog,\"a, \"\"b\"\" & <c>\"\ncat,7,3,0\n"), "{text}");
        assert_eq!(Confusion::read(&file).unwrap(), confusion());
        for (text, expected) in [
            ("", "of at least one example"),
            ("true,a,b\na,1,0\n", "expected 1 rows of 1 counts, but got 2 counts"),
            ("true,a,b\na,1,0\nb,0\n", "line: 3"),
            ("true,a,b\na,1,-1\nb,0,1\n", "line: 2"),
            ("true,a,b\na,1,0.5\nb,0,1\n", "line: 2"),
            ("true,a,b\na,0,0\nb,0,0\n", "of at least one example"),
        ] {
            fs::write(&file, text).unwrap();
            let error = Confusion::read(&file).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
