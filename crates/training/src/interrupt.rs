//! Stopping a training from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::TrainingError;

/// The exit code of a program that was stopped by Ctrl-C, after it has saved its work.
pub const INTERRUPTED: u8 = 130;

/// A request to stop, which a training looks for after each step; at first nobody has made it. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A request that Ctrl-C makes (or a signal to terminate); a second one ends the process at once, with
    /// exit code [`INTERRUPTED`].
    ///
    /// # Errors
    /// [`TrainingError::Refused`] if the system does not let this process watch for signals.
    pub fn on_ctrl_c() -> Result<Self, TrainingError> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds no request yet, and makes it.
            let requested = || Arc::clone(&interrupt.0);
            flag::register_conditional_shutdown(signal, INTERRUPTED.into(), requested())
                .and_then(|_| flag::register(signal, requested()))
                .map_err(|error| {
                    TrainingError::Refused(format!("cannot watch for Ctrl-C: {error}"))
                })?;
        }
        Ok(interrupt)
    }

    /// Asks to stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked to stop.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
