//! Tables in Markdown.

/// A table, row by row.
pub(crate) struct Table(pub(crate) String);

/// The cells of a row: whatever can be displayed.
macro_rules! cells {
    ($($cell:expr),* $(,)?) => { [$($cell.to_string()),*] };
}
pub(crate) use cells;

impl Table {
    /// A table with these titles, `name | >number`: `>` aligns a column to the right, as numbers are.
    pub(crate) fn new(titles: &str) -> Self {
        let mut table = Self(String::new());
        let mut rule = String::from("|");
        table.row(titles.split('|').map(str::trim).map(|title| {
            let number = title.strip_prefix('>');
            rule.push_str(if number.is_some() { "--:|" } else { "---|" });
            number.unwrap_or(title).to_owned()
        }));
        table.0 += &rule;
        table.0.push('\n');
        table
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push('|');
        for cell in cells.into_iter().map(|cell| cell.replace('|', "\\|")) {
            self.0 += &if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") };
        }
        self.0.push('\n');
    }

    /// The table, with a paragraph below.
    pub(crate) fn with_note(self, note: &str) -> String {
        format!("{}\n{note}\n", self.0)
    }
}

/// The value that a table of the program has under a name.
pub(crate) fn named<T: Copy>(
    table: &[(&str, T)],
    name: &str,
    unknown: impl FnOnce() -> String,
) -> Result<T, String> {
    let known = || table.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = table.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value).ok_or_else(|| format!("{}; known are {}", unknown(), known()))
}
