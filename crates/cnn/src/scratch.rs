//! Working memory that a thread keeps from one call to the next.
//!
//! A kernel needs megabytes for a moment, many times a second. Fresh memory comes from the operating
//! system page by page, which takes longer than the arithmetic on it.

use std::any::Any;
use std::cell::RefCell;

use numerics::{Scalar, mark_unwritten};

/// Buffers that a thread keeps: as many as the calls that are usually in progress on it at once.
const KEPT: usize = 4;

/// A larger buffer is given back: so large a layer runs too long to mind.
const LARGEST_KEPT_BYTES: usize = 64 << 20;

thread_local! {
    /// The newest last, since that is the likeliest to be in a cache.
    static KEPT_BUFFERS: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Lends `work` a buffer of `len` elements, which hold anything: zeros, or what an earlier call left,
/// and see [`mark_unwritten`].
///
/// The buffer is `work`'s own: if `work` waits for other tasks and its thread takes one up that asks
/// for a buffer too, that one gets another.
pub(crate) fn with_scratch<T: Scalar, R>(len: usize, work: impl FnOnce(&mut [T]) -> R) -> R {
    let mut buffer = take::<T>(len);
    let lent = &mut buffer[..len];
    mark_unwritten(lent);
    let result = work(lent);
    keep(buffer);
    result
}

/// A buffer of at least `len` elements: the one that was kept last and is large enough, or a new one
/// in place of one that is too small.
fn take<T: Scalar>(len: usize) -> Vec<T> {
    KEPT_BUFFERS.with_borrow_mut(|kept| {
        let of_at_least = |enough: usize| {
            move |buffer: &Box<dyn Any>| {
                buffer.downcast_ref::<Vec<T>>().is_some_and(|buffer| buffer.len() >= enough)
            }
        };
        if let Some(found) = kept.iter().rposition(of_at_least(len)) {
            return *kept.remove(found).downcast().expect("it was found by its type");
        }
        if let Some(too_small) = kept.iter().rposition(of_at_least(0)) {
            drop(kept.remove(too_small));
        }
        vec![T::zero(); len]
    })
}

/// Keeps the buffer, in place of the oldest if there are enough.
fn keep<T: Scalar>(buffer: Vec<T>) {
    if size_of_val(buffer.as_slice()) <= LARGEST_KEPT_BYTES {
        KEPT_BUFFERS.with_borrow_mut(|kept| {
            if kept.len() == KEPT {
                kept.remove(0);
            }
            kept.push(Box::new(buffer));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_and_nested_calls_have_their_own() {
        let address = |buffer: &mut [f32]| buffer.as_ptr() as usize;
        let first = with_scratch(100, address);
        with_scratch(50, |outer: &mut [f32]| {
            assert_eq!((outer.len(), outer.as_ptr() as usize), (50, first));
            let inner = with_scratch(50, address);
            assert_ne!(inner, first);
            assert_eq!(with_scratch(50, address), inner);
        });
        assert_eq!(with_scratch(100, address), first, "the last one kept that is large enough");
        assert_eq!(with_scratch(3, |buffer: &mut [f64]| buffer.len()), 3);
        with_scratch(1000, |buffer: &mut [f32]| assert_eq!(buffer.len(), 1000));
    }

    #[cfg(debug_assertions)]
    #[test]
    fn what_is_not_written_shows() {
        for _fresh_then_used in 0..2 {
            with_scratch(5, |buffer: &mut [f32]| {
                assert!(buffer.iter().all(|x| x.is_nan()));
                buffer.fill(1.0);
            });
        }
    }

    #[test]
    fn few_buffers_are_kept_the_newest_and_none_that_is_huge() {
        (1..=KEPT + 2).for_each(|len| keep(vec![0.0_f32; len]));
        with_scratch(LARGEST_KEPT_BYTES, |_: &mut [f64]| ());
        KEPT_BUFFERS.with_borrow(|kept| {
            let lens = kept.iter().filter_map(|buffer| buffer.downcast_ref::<Vec<f32>>());
            assert!(lens.map(Vec::len).eq(3..=KEPT + 2));
            assert_eq!(kept.len(), KEPT);
        });
    }
}
