//! The quality of predictions, as text.

use std::fmt::Write as _;

use experiment::Confusion;

/// A line such as `81.20 % (8120 of 10000)`: how many predictions are right.
pub(crate) fn accuracy_line(confusion: &Confusion) -> String {
    let (right, examples) = (confusion.right(), confusion.examples());
    format!("{} ({right} of {examples})", percent(Some(confusion.accuracy())))
}

/// A table of one line a class: how many images it has, how many of them were recognised, how many of
/// the predictions of it are right, and what it is taken for most often.
pub(crate) fn class_table(confusion: &Confusion) -> String {
    let names = confusion.class_names();
    let mut table = String::new();
    let mut line = |class: &str, cells: [String; 4]| {
        let [images, recognised, right, taken_for] = cells;
        let text = format!("{class:<12}{images:>8}{recognised:>12}{right:>12}  {taken_for}");
        writeln!(table, "{}", text.trim_end()).expect("writing to a string cannot fail");
    };
    let heads = ["images", "accuracy", "precision", "most often taken for"];
    line("class", heads.map(str::to_owned));
    let pairs = confusion.most_confused(names.len() * names.len());
    for (class, name) in names.iter().enumerate() {
        let worst = pairs.iter().find(|pair| pair.truth == class);
        let taken_for = worst
            .map_or(String::new(), |pair| format!("{} ({})", names[pair.predicted], pair.count));
        let images = confusion.counts().row(class).sum().to_string();
        let [recall, precision] = [confusion.recall(class), confusion.precision(class)];
        line(name, [images, percent(recall), percent(precision), taken_for]);
    }
    table
}

/// The confusion matrix as text: a line for each true class, a column for each predicted one.
pub(crate) fn confusion_table(confusion: &Confusion) -> String {
    let names = confusion.class_names();
    let heads: String = names
        .iter()
        .map(|name| format!("{:>7}", name.chars().take(5).collect::<String>()))
        .collect();
    let mut table = format!("{:<12}{heads}\n", "true\\said");
    for (name, row) in names.iter().zip(confusion.counts().rows()) {
        let cells: String = row.iter().map(|count| format!("{count:>7}")).collect();
        writeln!(table, "{name:<12}{cells}").expect("writing to a string cannot fail");
    }
    table
}

fn percent(fraction: Option<f64>) -> String {
    fraction.map_or("-".to_owned(), |fraction| format!("{:.2} %", 100.0 * fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of three cats two are taken for dogs, and of two dogs one for a cat; no automobile.
    fn example() -> Confusion {
        let names = ["cat", "dog", "automobile"].map(str::to_owned).to_vec();
        let pairs = [(0, 0), (0, 1), (0, 1), (1, 1), (1, 0)];
        Confusion::of_predictions(names, pairs).unwrap()
    }

    #[test]
    fn the_tables_show_each_class() {
        let expected = "\
class         images    accuracy   precision  most often taken for
cat                3     33.33 %     50.00 %  dog (2)
dog                2     50.00 %     33.33 %  cat (1)
automobile         0           -           -
";
        assert_eq!(class_table(&example()), expected);
        let expected = "\
true\\said       cat    dog  autom
cat               1      2      0
dog               1      1      0
automobile        0      0      0
";
        assert_eq!(confusion_table(&example()), expected);
    }
}
