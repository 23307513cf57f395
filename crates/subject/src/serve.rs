//! The subject's side: requests are read and answered until there are no more.

use std::io;

use serde_json::{Value, json};

use crate::{Message, MessageError};

/// What a subject answers.
pub enum Answer {
    /// The results, and fields beside them.
    Results(Message),
    /// The implementation refused or failed, for this reason.
    Error(String),
    /// The implementation does not claim to have this, for this reason.
    Unsupported(String),
}

/// Answers every request on standard input by `answer`, on standard output.
///
/// Nothing else may write to standard output meanwhile.
///
/// # Errors
/// A request that is no message, and whatever prevents reading and writing.
pub fn serve(mut answer: impl FnMut(Message) -> Answer) -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::BufWriter::new(io::stdout().lock()));
    loop {
        let request = match Message::read(&mut input) {
            Err(MessageError::Ended) => return Ok(()),
            Err(MessageError::Io(error)) => return Err(error),
            Err(error) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string()));
            }
            Ok(request) => request,
        };
        let id = request.fields.get("id").cloned().unwrap_or(Value::Null);
        let mut reply = match answer(request) {
            Answer::Results(reply) => reply,
            Answer::Error(reason) => Message::new(json!({ "error": reason })),
            Answer::Unsupported(reason) => Message::new(json!({ "unsupported": reason })),
        };
        reply.fields.insert("id".to_owned(), id);
        reply.write(&mut output)?;
    }
}
