//! The implementation of this workspace as a program that the harness can verify.
//!
//! [`serve`] answers the requests of the protocol. What computes is an [`Implementation`]: [`Ours`], or one that
//! replaces some of its methods, as the harness does to plant a bug. A function that panics, an unwritten `todo!`
//! among them, fails its request and nothing else; layers and networks go without the functions that the assignment leaves
//! to the student.

mod declared;
mod implementation;
mod requests;

use std::io;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, MutexGuard, PoisonError};

use subject::{Answer, Message};

use crate::requests::Requests;

pub use implementation::{Implementation, Ours};

/// Answers requests on standard input, until there are no more.
///
/// # Errors
/// As [`subject::serve`].
pub fn serve(implementation: &dyn Implementation) -> io::Result<()> {
    panic::set_hook(Box::new(note));
    let mut requests = Requests::new(implementation);
    subject::serve(|request| answer(&mut requests, request))
}

/// The first panic of the request that is answered: the threads of a function may all panic.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

fn last_panic() -> MutexGuard<'static, Option<String>> {
    PANIC.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(info: &PanicHookInfo<'_>) {
    last_panic().get_or_insert_with(|| system::panic_message(info));
}

/// The beginnings of the names of functions that nobody has to write.
const OPTIONAL: [&str; 2] = ["Sigmoid::", "L2::"];

fn answer(requests: &mut Requests<'_>, request: Message) -> Answer {
    *last_panic() = None;
    let is_of_several = ["layer.", "network."].iter().any(|op| request.text("op").starts_with(op));
    match panic::catch_unwind(AssertUnwindSafe(|| requests.answer(request))) {
        Ok(result) => result.map_or_else(|refusal| refusal, Answer::Results),
        Err(_) => {
            let reason = last_panic().take().unwrap_or_default();
            let is_optional = OPTIONAL.iter().any(|name| reason.starts_with(name));
            if is_of_several && is_optional && reason.contains(" is not written yet") {
                Answer::Unsupported(reason)
            } else {
                Answer::Error(reason)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use einsum::EinsumError;
    use layers::Layer;
    use ndarray::{Array1, Array2, ArrayD};
    use serde_json::{Value, json};

    use super::*;

    struct Unwritten;

    impl Implementation for Unwritten {
        fn layer(
            &self,
            class: &str,
            _: &Value,
            _: &[usize],
        ) -> Result<Box<dyn Layer<f64>>, Answer> {
            panic!("not yet implemented: {class}::value is not written yet")
        }

        fn trace(&self, _: &Array2<f64>) -> Result<f64, EinsumError> {
            // As `todo!` does.
            panic!("not yet implemented: trace is not written yet")
        }

        fn matrix_vector(
            &self,
            a: &Array2<f64>,
            b: &Array1<f64>,
        ) -> Result<Array1<f64>, EinsumError> {
            // On another thread, and out of bounds.
            let row = std::thread::scope(|scope| scope.spawn(|| a[[9, 9]]).join());
            Ok(b * row.unwrap())
        }
    }

    #[test]
    fn a_panic_fails_its_request_and_says_where_it_was() {
        let earlier = panic::take_hook();
        panic::set_hook(Box::new(note));
        let mut requests = Requests::new(&Unwritten);
        let mut ask = |exercise: &str| {
            let request = Message::new(json!({ "op": "einsum", "exercise": exercise }));
            let request = request.with("A", ArrayD::<f64>::ones(vec![2, 2]));
            match answer(&mut requests, request.with("B", ArrayD::<f64>::ones(vec![2]))) {
                Answer::Error(reason) => reason,
                _ => String::new(),
            }
        };
        let (unwritten, outside) = (ask("trace"), ask("matrix_vector"));
        let mut is_unsupported = |class: &str| {
            let request = Message::new(json!({ "op": "layer.build", "class": class }));
            matches!(answer(&mut requests, request), Answer::Unsupported(_))
        };
        let (optional, needed) = (is_unsupported("Sigmoid"), is_unsupported("ReLU"));
        panic::set_hook(earlier);
        let place = "trace is not written yet (crates/served/src/lib.rs:";
        assert!(unwritten.starts_with(place), "{unwritten}");
        assert!(optional && !needed);
        assert!(outside.contains("out of bounds") && outside.contains("lib.rs:"), "{outside}");
    }
}
