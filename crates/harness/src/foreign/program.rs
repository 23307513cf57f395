//! A program under test: one process for each thread that runs checks.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use ndarray::{ArrayD, ArrayViewD};
use numerics::Scalar;
use serde_json::{Value, json};
use subject::{Array, Limits, Message, Process, SubjectError};

use super::conventions::Conventions;
use crate::cases::number;
use crate::check::panic_message;
use crate::{HarnessError, Result, rooms};

/// What a program may take: the slowest implementation seen takes 3 s for a pass of a large convolution.
const LIMITS: Limits = Limits { seconds: 20, memory: 4 << 30, filled: FILLED[0] };

/// What memory has before the program writes to it, and what it has when a failing case is run again: a result that
/// depends on it is large and wrong, and another one then.
const FILLED: [u8; 2] = [0x55, 0x2a];

/// Seconds for a request of a program that was late before: many checks may ask for what never ends.
const SECONDS_ONCE_LATE: u64 = 3;

/// What a program may take of the time of whoever verifies it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allowance {
    /// Seconds for one request after the first, before which it may have much to load.
    pub(crate) request: Option<u64>,
    /// When no more is asked.
    pub(crate) end: Option<Instant>,
}

impl Allowance {
    /// Seconds for the next request, or an error if there is no time left.
    fn seconds(self, most: u64) -> Result<u64, SubjectError> {
        let left = self.end.map(|end| end.saturating_duration_since(Instant::now()));
        match left {
            Some(left) if left.is_zero() => Err(SubjectError::Late(
                "not asked: the time for the whole program is over".to_owned(),
            )),
            Some(left) => Ok(most.min(left.as_secs() + 1)),
            None => Ok(most),
        }
    }

    fn is_over(self) -> bool {
        self.seconds(1).is_err()
    }
}

/// A process, and what was noted of the whole program.
#[derive(Debug)]
pub(super) struct Running {
    process: Mutex<Process>,
    noted: Arc<Mutex<Noted>>,
}

/// A process that several layers share.
pub(super) type Shared = Arc<Running>;

/// What a program does that fails no check.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    /// Where several answers are right, its own.
    pub(crate) conventions: BTreeSet<String>,
    /// The operations that change their arguments.
    pub(crate) changed: BTreeSet<String>,
    /// Whether a reply was late.
    late: bool,
    allowance: Allowance,
}

impl Running {
    /// Notes a convention.
    pub(super) fn convention(&self, what: String) {
        lock(&self.noted).conventions.insert(what);
    }
}

/// A program that is verified in place of the workspace's own implementation.
#[derive(Debug)]
pub(crate) struct Program {
    /// Path and arguments.
    command: Vec<OsString>,
    /// The reply to `describe`.
    about: Message,
    processes: Mutex<HashMap<(ThreadId, u8), Shared>>,
    /// The byte that memory has before the program writes to it.
    filled: AtomicU8,
    noted: Arc<Mutex<Noted>>,
    conventions: OnceLock<Conventions>,
}

thread_local! {
    /// What the program has said of its results during the present check.
    static REMARKS: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    /// The first requests of the present case, and the replies.
    static EXCHANGES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Exchanges that are kept, and the most elements of an array that is shown.
const SHOWN_EXCHANGES: usize = 3;
const SHOWN_ELEMENTS: usize = 12;

/// Takes the first exchanges of the present case, and so begins another one.
pub(crate) fn take_exchanges() -> Vec<String> {
    EXCHANGES.take()
}

/// The arrays of a message, `X = [[1, -2]]`, if all are small and `shows` them; of the reply of a backward pass, whose
/// gradients have the names of parameters, as `dW = [[3]]`.
fn arrays_of(
    message: &Message,
    shows: impl Fn(&ArrayD<f64>) -> bool,
    gradients: bool,
) -> Option<String> {
    let shown = |(name, array): &(String, Array)| {
        let array = array.clone().into_double();
        let d = if gradients && !name.starts_with(['d', 'L']) { "d" } else { "" };
        let shown = array.len() <= SHOWN_ELEMENTS && shows(&array);
        shown.then(|| format!("{d}{name} = {}", nested(array.view())))
    };
    let shown: Option<Vec<String>> = message.arrays.iter().map(shown).collect();
    shown.map(|arrays| arrays.join(", ")).filter(|arrays| !arrays.is_empty())
}

/// An array as NumPy and Rust write it.
fn nested(array: ArrayViewD<'_, f64>) -> String {
    if array.ndim() == 0 {
        return array.iter().copied().map(number).collect();
    }
    let parts: Vec<String> = array.outer_iter().map(nested).collect();
    format!("[{}]", parts.join(", "))
}

/// Takes the remarks of the present case or check, and so begins another one.
pub(crate) fn take_remarks() -> BTreeSet<String> {
    REMARKS.take()
}

/// The remark that a result is missing or of another shape, in whose place checks see NaN.
pub(crate) fn misshapen(remarks: &BTreeSet<String>) -> Option<&String> {
    let words = [" has shape ", "stores no gradient"];
    remarks.iter().find(|remark| words.iter().any(|word| remark.contains(word)))
}

/// Adds to the remarks of the present check.
pub(crate) fn remark(what: impl Into<String>) {
    REMARKS.with_borrow_mut(|remarks| remarks.insert(what.into()));
}

impl Program {
    /// Starts the program and asks what it implements.
    pub(crate) fn start(command: Vec<OsString>, allowance: Allowance) -> Result<Arc<Self>> {
        let unusable = |error: SubjectError| {
            HarnessError::Stopped(format!("the program cannot be verified: {error}"))
        };
        let (process, about) = started(&command, allowance, FILLED[0]).map_err(unusable)?;
        let version = about.fields.get("protocol").and_then(Value::as_u64);
        if version != Some(subject::VERSION) {
            let (got, expected) = (about.fields.get("protocol").cloned(), subject::VERSION);
            let got = got.map_or("nothing".to_owned(), |version| version.to_string());
            return Err(HarnessError::Stopped(format!(
                "the program cannot be verified: in its reply to describe \"protocol\" has to be {expected}, \
                 but is {got}"
            )));
        }
        let known: [(&str, Vec<&str>); 5] = [
            ("activations", rooms::activations().map(|room| room.name).into()),
            ("losses", rooms::losses().map(|room| room.name).into()),
            ("layers", rooms::layers().map(|room| room.name).into()),
            ("einsum", EXERCISES.into()),
            ("dtypes", vec!["f8", "f4"]),
        ];
        for (list, known) in known {
            let unknown = about.texts(list).into_iter().find(|own| !known.contains(&&**own));
            if let Some(unknown) = unknown {
                return Err(HarnessError::Stopped(format!(
                    "the program cannot be verified: it lists {unknown:?} among its {list}, but only {} are \
                     known",
                    known.join(", ")
                )));
            }
        }
        let noted = Arc::new(Mutex::new(Noted { allowance, ..Noted::default() }));
        let running = Running { process: Mutex::new(process), noted: Arc::clone(&noted) };
        let processes = HashMap::from([((thread::current().id(), FILLED[0]), Arc::new(running))]);
        let (processes, conventions) = (Mutex::new(processes), OnceLock::new());
        let filled = FILLED[0].into();
        Ok(Arc::new(Self { command, about, processes, filled, noted, conventions }))
    }

    /// Runs what asks the program in another process, whose memory is filled otherwise.
    pub(super) fn in_other_memory<R>(&self, run: impl FnOnce() -> R) -> R {
        self.filled.store(FILLED[1], Ordering::Relaxed);
        let result = run();
        self.filled.store(FILLED[0], Ordering::Relaxed);
        result
    }

    /// What it does where several answers are right.
    pub(crate) fn conventions(self: &Arc<Self>) -> Conventions {
        *self.conventions.get_or_init(|| Conventions::of(self))
    }

    /// A program that has everything and is never started, with these conventions: to list what is asked of programs.
    pub(crate) fn complete(conventions: Conventions) -> Arc<Self> {
        let about = json!({
            "activations": rooms::activations().map(|room| room.name).as_slice(),
            "losses": rooms::losses().map(|room| room.name).as_slice(),
            "layers": rooms::layers().map(|room| room.name).as_slice(),
            "einsum": EXERCISES,
            "dtypes": ["f8", "f4"],
            "network": true,
        });
        let (about, command) = (Message::new(about), vec![]);
        let (processes, noted, conventions) =
            (Mutex::default(), Arc::default(), conventions.into());
        let filled = FILLED[0].into();
        Arc::new(Self { command, about, processes, filled, noted, conventions })
    }

    /// Whether the time for the whole program is over.
    pub(crate) fn is_out_of_time(&self) -> bool {
        lock(&self.noted).allowance.is_over()
    }

    /// What was noted of it so far.
    pub(crate) fn noted(&self) -> Noted {
        lock(&self.noted).clone()
    }

    /// Whether the list of this name in its description, such as `"layers"`, has this entry.
    pub(crate) fn offers(&self, list: &str, entry: &str) -> bool {
        self.about.texts(list).iter().any(|own| own == entry)
    }

    /// Whether it implements whole networks.
    pub(crate) fn has_networks(&self) -> bool {
        self.about.fields.get("network").and_then(Value::as_bool) == Some(true)
    }

    /// How it calls itself, and what it says of itself.
    pub(crate) fn introduction(&self) -> (String, Vec<String>) {
        (self.about.text("name").to_owned(), self.about.texts("remarks"))
    }

    /// The process of this thread, started again if it broke.
    pub(super) fn process(&self) -> Shared {
        let mut processes = lock(&self.processes);
        let filled = self.filled.load(Ordering::Relaxed);
        let own = processes.entry((thread::current().id(), filled));
        let Noted { late, allowance, .. } = self.noted();
        let start = || match started(&self.command, allowance, filled) {
            Err(error) => stop(error),
            Ok((mut process, _)) => {
                if late {
                    let usual = allowance.request.unwrap_or(SECONDS_ONCE_LATE);
                    process.limit(SECONDS_ONCE_LATE.min(usual));
                }
                let (process, noted) = (Mutex::new(process), Arc::clone(&self.noted));
                Arc::new(Running { process, noted })
            }
        };
        let own = own.or_insert_with(start);
        if lock(&own.process).is_broken() {
            *own = start();
        }
        Arc::clone(own)
    }

    /// One request without a state, and its one result.
    pub(super) fn function<T: Scalar>(
        &self,
        request: Message,
        result: &str,
        shape: &[usize],
    ) -> ArrayD<T> {
        let mut reply = ask(&self.process(), request);
        array(&mut reply, result, Some(shape))
    }
}

/// The exercises of einsum that there are.
pub(crate) const EXERCISES: [&str; 3] = ["trace", "matrix_vector", "outer_product"];

/// A process of the program, and its reply to `describe`, before which it may have much to load.
fn started(
    command: &[OsString],
    allowance: Allowance,
    filled: u8,
) -> Result<(Process, Message), SubjectError> {
    let limits = Limits { seconds: allowance.seconds(LIMITS.seconds)?, filled, ..LIMITS };
    let mut process = Process::start(command, limits)?;
    let about = process.ask(Message::new(json!({ "op": "describe" })))?;
    process.limit(allowance.request.unwrap_or(LIMITS.seconds));
    Ok((process, about))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the check, which learns the reason from the payload of the panic: an activation has no other way to
/// refuse.
pub(super) fn stop(error: SubjectError) -> ! {
    resume_unwind(Box::new(error))
}

/// The reply to a request.
pub(super) fn ask(process: &Shared, request: Message) -> Message {
    let (op, class) = (request.text("op").to_owned(), request.text("class").to_owned());
    // A request that began in time may take what one may take.
    let allowance = lock(&process.noted).allowance;
    allowance.seconds(1).unwrap_or_else(|error| stop(error));
    let kept = EXCHANGES.with_borrow(Vec::len) < SHOWN_EXCHANGES && !op.ends_with(".build");
    let are_whole = |array: &ArrayD<f64>| array.iter().all(|x| x.fract() == 0.0);
    let asked = kept.then(|| arrays_of(&request, are_whole, false)).flatten();
    let mut asked_process = lock(&process.process);
    let reply = asked_process.ask(request).unwrap_or_else(|error| {
        lock(&process.noted).late |= matches!(error, SubjectError::Late(_));
        // What is used up is so for all later checks, too: they get another process.
        if let SubjectError::Refused(why) = &error
            && ["MemoryError", "start new thread"].iter().any(|used_up| why.contains(used_up))
        {
            asked_process.kill();
        }
        stop(error)
    });
    drop(asked_process);
    let answered = || arrays_of(&reply, |_| true, op.ends_with(".backward"));
    if let Some((asked, answered)) = asked.and_then(|asked| Some((asked, answered()?))) {
        let exchange = format!("    {op}: {asked}  gives  {answered}");
        EXCHANGES.with_borrow_mut(|kept| {
            if !kept.contains(&exchange) {
                kept.push(exchange);
            }
        });
    }
    reply.texts("remarks").into_iter().for_each(remark);
    for name in reply.texts("changed") {
        lock(&process.noted).changed.insert(format!("{op} of {class} changes its argument {name}"));
    }
    reply
}

/// An array as it is sent.
pub(super) fn sent<T: Scalar>(array: &ArrayD<T>) -> Array {
    match T::DTYPE {
        "f8" => Array::Double(array.mapv(T::as_f64)),
        _ => Array::Single(array.mapv(|x| x.as_f64() as f32)),
    }
}

/// A result of the reply, as numbers of this type; of this shape, if one is given.
pub(super) fn array<T: Scalar>(
    reply: &mut Message,
    name: &str,
    shape: Option<&[usize]>,
) -> ArrayD<T> {
    let refused = |what: String| -> ! { stop(SubjectError::Refused(what)) };
    let Some(array) = reply.take(name) else {
        let names: Vec<&str> = reply.arrays.iter().map(|(name, _)| &**name).collect();
        refused(format!("the reply has no array {name}, only {names:?}"))
    };
    if let Some(expected) = shape
        && array.shape() != expected
    {
        refused(of_shape(name, array.shape(), expected))
    }
    array.into_double().mapv_into_any(T::of)
}

/// A message on an array of another shape, and on the mistakes that have it.
pub(super) fn of_shape(what: &str, got: &[usize], expected: &[usize]) -> String {
    let why = match (got, expected) {
        _ if what == "dX"
            && got.len() == expected.len()
            && got.contains(&0)
            && !expected.contains(&0) =>
        {
            "; a slice p:-p is empty where p is 0, and an image that forward padded otherwise is too small"
        }
        ([_, rows, cols, _], [_, right_rows, right_cols, _])
            if rows == right_rows && cols != right_cols =>
        {
            "; the rows are right, but not the columns: have they the padding and the kernel's size of the rows?"
        }
        _ => "",
    };
    format!("{what} has shape {got:?} instead of {expected:?}{why}")
}

/// What `run` gives.
///
/// # Errors
/// If the program does not claim to have it, in its own words.
pub(crate) fn if_supported<R>(run: impl FnOnce() -> R) -> std::result::Result<R, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| match is_unsupported(&*payload) {
        true => panic_message(&*payload),
        false => resume_unwind(payload),
    })
}

/// Whether a check was ended by a program that broke, which another case does not mend.
pub(crate) fn is_broken(payload: &(dyn std::any::Any + Send)) -> bool {
    matches!(payload.downcast_ref(), Some(SubjectError::Broken(_) | SubjectError::Late(_)))
}

/// Whether a check was ended by what the program does not claim to have.
pub(crate) fn is_unsupported(payload: &(dyn std::any::Any + Send)) -> bool {
    matches!(payload.downcast_ref(), Some(SubjectError::Unsupported(_)))
}
