//! The implementation of this workspace as a program that the harness can verify.
//!
//! [`serve`] answers the requests of the protocol. What computes is an [`Implementation`]: [`Ours`], or one that
//! replaces some of its methods, as the harness does to plant a bug. A function that panics, an unwritten `todo!`
//! among them, fails its request and nothing else.

mod declared;
mod implementation;
mod requests;

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

use subject::Answer;

pub use implementation::{Implementation, Ours};

/// Answers requests on standard input, until there are no more.
///
/// # Errors
/// As [`subject::serve`].
pub fn serve(implementation: &dyn Implementation) -> io::Result<()> {
    // Of the request that is answered: its first panic, since the threads of a function may all panic.
    static PANIC: Mutex<Option<String>> = Mutex::new(None);
    let last = || PANIC.lock().unwrap_or_else(PoisonError::into_inner);
    panic::set_hook(Box::new(move |info| {
        last().get_or_insert_with(|| system::panic_message(info));
    }));
    let mut requests = requests::Requests::new(implementation);
    subject::serve(|request| {
        *last() = None;
        match panic::catch_unwind(AssertUnwindSafe(|| requests.answer(request))) {
            Ok(result) => result.map_or_else(|refusal| refusal, Answer::Results),
            Err(_) => Answer::Error(last().take().unwrap_or_default()),
        }
    })
}
