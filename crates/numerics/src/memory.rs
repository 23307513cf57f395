//! Memory of large arrays, used again.
//!
//! A training step makes and drops the same arrays as the step before. The operating system gives large
//! ones out page by page and cleared, and takes them back when they are dropped; that takes several times
//! as long as a pass over memory that is there. So who is done with a large array [`recycle`]s it, and
//! who needs one asks for a [`reused`] one.

use std::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::{Array, Dimension, IntoDimension};

/// A smaller array is not worth keeping: the allocator keeps its memory by itself.
const SMALLEST_KEPT: usize = 1 << 15;

/// The most arrays that are kept. A network of a few dozen layers has no more in use at once.
const MOST_KEPT: usize = 128;

/// The memory that is kept, the newest last, since that is the likeliest to be in a cache.
static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// The memory of an array.
struct Kept {
    /// A vector of some type of number.
    elements: Box<dyn Any + Send>,
    bytes: usize,
}

/// An element of such arrays: a plain number.
pub trait Element: Copy + Default + Send + 'static {
    /// The value of elements before they are written, in builds with debug assertions: a number that shows
    /// in every result that it enters.
    const UNWRITTEN: Self;
}

impl Element for f32 {
    const UNWRITTEN: Self = Self::NAN;
}

impl Element for f64 {
    const UNWRITTEN: Self = Self::NAN;
}

impl Element for u16 {
    const UNWRITTEN: Self = Self::MAX;
}

/// An array of this shape in standard layout whose elements are anything: zeros, or what an earlier array
/// left, and see [`mark_unwritten`]. The caller overwrites all of them.
///
/// ```
/// let mut x = numerics::reused::<f32, _>((300, 200));
/// x.fill(1.0);
/// numerics::recycle(x);
/// ```
pub fn reused<T: Element, Sh: IntoDimension>(shape: Sh) -> Array<T, Sh::Dim> {
    let shape = shape.into_dimension();
    let mut elements = take(shape.size()).unwrap_or_else(|| vec![T::default(); shape.size()]);
    mark_unwritten(&mut elements);
    Array::from_shape_vec(shape, elements).expect("one element for each place")
}

/// In builds with debug assertions, makes every element [`Element::UNWRITTEN`]; of a large array every
/// thousandth, since trainings run in such builds and passes over all large arrays are a tenth of their
/// time. The step is a prime, so that the elements lie in all rows, columns and channels.
pub fn mark_unwritten<T: Element>(elements: &mut [T]) {
    if cfg!(debug_assertions) {
        let step = if elements.len() < SMALLEST_KEPT { 1 } else { 1009 };
        elements.iter_mut().step_by(step).for_each(|element| *element = T::UNWRITTEN);
    }
}

/// Keeps the memory of an array for one that is asked for later.
pub fn recycle<T: Element, D: Dimension>(array: Array<T, D>) {
    let (mut elements, _) = array.into_raw_vec_and_offset();
    if elements.capacity() < SMALLEST_KEPT {
        return;
    }
    // It may have been shortened when it was taken.
    elements.resize(elements.capacity(), T::default());
    let dropped = {
        let mut kept = kept();
        let oldest = (kept.len() == MOST_KEPT).then(|| kept.remove(0));
        let bytes = size_of_val(elements.as_slice());
        kept.push(Kept { elements: Box::new(elements), bytes });
        oldest
    };
    // Outside the lock: giving memory back takes a while.
    drop(dropped);
}

/// Bytes that are kept at present. They stop growing after a few training steps, unless an array is
/// [`recycle`]d in each whose like nobody asks for.
pub fn kept_bytes() -> usize {
    kept().iter().map(|memory| memory.bytes).sum()
}

/// Memory for so many elements, if there is some that is not much larger.
fn take<T: Element>(len: usize) -> Option<Vec<T>> {
    if len < SMALLEST_KEPT {
        return None;
    }
    let mut kept = kept();
    let fits = |memory: &Kept| {
        let len_of = |elements: &Vec<T>| elements.len();
        let elements = memory.elements.downcast_ref();
        elements.map(len_of).is_some_and(|found| (len..=len + len / 8).contains(&found))
    };
    let found = kept.iter().rposition(fits)?;
    let memory = kept.remove(found);
    drop(kept);
    let mut elements = *memory.elements.downcast::<Vec<T>>().ok()?;
    elements.truncate(len);
    Some(elements)
}

fn kept() -> MutexGuard<'static, Vec<Kept>> {
    // No code that holds the lock can panic half-way through a change.
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};

    use super::*;

    // The tests share the kept memory with each other, so each has sizes of its own.

    #[test]
    fn memory_comes_back_for_the_same_size_and_type() {
        let x = Array2::<f32>::ones((1000, 41));
        let address = x.as_ptr();
        recycle(x);
        assert!(take::<f64>(41_000).is_none(), "another type");
        assert!(take::<f32>(41_001).is_none(), "too small");
        assert!(take::<f32>(36_000).is_none(), "much too large");
        let y = reused::<f32, _>((40_000, 1));
        assert_eq!((y.as_ptr(), y.dim()), (address, (40_000, 1)));
        recycle(y);
        let whole = reused::<f32, _>(41_000);
        assert_eq!(whole.as_ptr(), address, "the end that was cut off is there again");
        assert_ne!(reused::<f32, _>(41_000).as_ptr(), address, "it is lent once");
    }

    #[cfg(debug_assertions)]
    #[test]
    fn what_is_not_written_shows() {
        for len in [0, 1, SMALLEST_KEPT - 1, 61_000] {
            for _fresh_then_used in 0..2 {
                let mut x = reused::<f32, _>(len);
                let step = if len < SMALLEST_KEPT { 1 } else { 1009 };
                assert!(x.iter().step_by(step).all(|x| x.is_nan()), "{len}");
                x.fill(1.0);
                recycle(x);
            }
        }
        assert_eq!(reused::<u16, _>(2).to_vec(), [u16::MAX; 2]);
    }

    #[test]
    fn a_part_of_an_array_is_kept_whole_and_what_is_small_is_not() {
        recycle(Array2::<f32>::ones((53_000, 1)).slice_move(s![10..20, ..]));
        assert!(take::<f32>(53_000).is_some());
        recycle(Array2::<f64>::ones((181, 181)));
        assert!(take::<f64>(181 * 181).is_none());
    }
}
