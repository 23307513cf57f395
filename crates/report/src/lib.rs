//! The book: mdBook with directives of our own, and checks before and after.
//!
//! Nothing in the book is pasted. A chapter is Markdown with these directives, each of which fails
//! with file and line if it cannot be expanded, and all failures of a run are shown together.
//!
//! | in a chapter | becomes |
//! |---|---|
//! | `$x$`, and `$$ ... $$` on lines of its own | an SVG drawn while the book is built, and MathML to be spoken |
//! | `$$ ... $$ {#eq:ID .result}` | a numbered equation that the harness has to check as `formulas.ID`, with the evidence beneath it |
//! | `$$ ... $$ {#eq:ID .step}`, `{#eq:ID .definition}` | a numbered equation on the way to a result; one that says what something means |
//! | `\worked{NAME}`, `\worked[DIGITS]{NAME[0,1]}` in a formula | a tensor of a worked example, or a part of it |
//! | `\checked{1 + 2 = \worked{NAME}}` in a formula | its content, after the arithmetic has been done again |
//! | `[@eq:ID]`, `[@fig:ID]`, `[@tbl:ID]`, `[@ex:ID]`, `[@src:ID]` | a link: (4.2.3), Figure 4.2.1, Table 4.2.1, Exercise 4.2.1, \[7\] |
//! | `{{#code FILE:ANCHOR}}` | the region between `// ANCHOR: name` and `// ANCHOR_END: name` |
//! | `{{#all-code}}` | every file of code of the workspace, complete |
//! | `{{#tests 4.1}}`, `{{#tests TestReLU}}` | the command and the lines that the harness printed for a question or a class |
//! | `{{#summary}}` | a table: how many checks of which kind each question has |
//! | `{{#negative-controls}}`, `{{#negative-controls 4.1}}` | the table of the deliberate bugs, of all questions, of one, or of one thing under test |
//! | `{{#exercise "title" ex:ID}}`, `{{#solution}}`, `{{#end}}` | an exercise with a number: the question, and its folded solution, whose numbers are checked as those of worked examples |
//! | `{{#bug ReLU relu-sign}}`, `{{#caught ReLU relu-sign}}` | the code of a deliberate bug; what is wrong in it, and which kinds of check catch it |
//! | `{{#output einsum}}`, `{{#output gradcheck}}`, `{{#output gradcheck Conv2D}}` | the command and what the program printed |
//! | `{{#record NAME table}}`, `{{#record NAME best}}` | a sweep of `book/records/`: all sets; the chosen one |
//! | `{{#record NAME results}}`, `{{#record NAME config}}` | a run of `book/records/`: loss and error; its hyperparameters |
//! | `{{#record NAME epochs}}`, `{{#record NAME network}}` | its loss and accuracy by epoch; its layers with shapes and numbers of parameters |
//! | `{{#record NAME classes}}`, `{{#record NAME confused}}` | how well it tells each class; its most frequent mistakes |
//! | `{{#ablation FOLDER}}` | the runs of a folder, each without one component, against the one with all |
//! | `{{#repeats FOLDER SEEDS ACCURACY}}` | a table of runs that differ in their seed alone; refused if there are fewer seeds or their mean accuracy on the test set is less |
//! | `{{#performance VIEW}}` | a table of the record of the benchmark |
//! | `{{#mutants VIEW}}` | a table of small changes of the code: which kinds of check notice them, those that nothing notices, what judged |
//! | `{{#requirement NAME KEY MINIMUM "what"}}` | a value of a record that has to be at least so large |
//! | `{{#value NAME KEY}}` in a line | one value of a record: `summary.best.test_error.mean%`; of the harness: `checks passed`, `worked relu.y[0,1]` |
//! | `{{#figure FILE "caption" "alternative text" fig:ID}}` | a drawing of `book/src/figures/` |
//! | `{{#plot FILE "caption" "alternative text" fig:ID}}` | a plot of a record |
//! | `{{#drawing NAME "caption" "alternative text" fig:ID}}` | a figure that the program draws, from numbers of the harness, records or the crates |
//! | `{{#widget convolution "caption"}}`, `{{#widget softmax "caption"}}` | something to try out, where scripts run |
//! | `{{#table "caption" tbl:ID}}` | the caption of the table that follows |
//! | `{{#chapters}}` | a table of all chapters: reading times, and the earlier chapters that each builds on |
//! | `{{#sources}}` | the sources of `book/report.toml`, with what was taken from each |
//! | `{{#title-page}}` | the front matter of `book/report.toml`, for a book that shows it; the PDF begins with it anyway |
//! | `{{#todo "what"}}` | an error: something is still to be written |
//!
//! Numbers begin with the number that the chapter's title has in `SUMMARY.md`, or with its initial.
//! After mdBook has run, every link, anchor, image and style sheet of the result is checked, and
//! that nothing is loaded from the network.
//!
//! The book of a student ([`Options::hand_in`]) is built from that student's results and records. A directive that
//! cannot be expanded leaves a mark there, and [`Built::missing`] lists it with functions that are not written, tests
//! that fail and sections without text.
//!
//! With `--pdf` the book is printed too ([`pdf`]), from `print.html` and by the rules for paper of
//! `book/theme/report.css`; the PDF is read back and checked before it replaces an older one.

mod ablation;
mod appendix;
mod arithmetic;
pub mod audit;
mod chapter_map;
mod code;
mod data_checksums;
mod directive;
mod drawing;
mod evidence;
mod evidence_blocks;
mod exercise;
mod expand;
mod figure;
pub mod files;
mod formula;
mod fragment;
mod frame;
mod front;
mod hyperparameters;
mod links;
mod markdown;
mod mathml;
mod mutants;
mod notation;
mod numbers;
pub mod pdf;
mod performance;
mod planted_bug;
pub mod problem;
mod programs;
mod reader;
mod records;
mod references;
pub mod render;
mod repeats;
mod run_tables;
mod slots;
mod sweep_tables;
pub mod tensor;
mod warnings;
pub mod widget;
mod worked;

pub use appendix::answering_questions;
pub use programs::{Cargo, cargo};
pub use render::{Built, Options, build};
