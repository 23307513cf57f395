//! Working memory that a thread keeps from one call to the next.
//!
//! A kernel needs megabytes for a moment, many times a second. Fresh memory comes from the operating
//! system page by page, which takes longer than the arithmetic on it.

use std::any::Any;
use std::cell::RefCell;

use numerics::Scalar;

/// Buffers that a thread keeps: as many as the calls that are usually in progress on it at once.
const KEPT: usize = 4;

/// A larger buffer is given back: so large a layer runs too long to mind.
const LARGEST_KEPT_BYTES: usize = 64 << 20;

thread_local! {
    static KEPT_BUFFERS: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Lends `work` a buffer of `len` elements, which hold anything: zeros, or what an earlier call left.
///
/// The buffer is `work`'s own: if `work` waits for other tasks and its thread takes one up that asks
/// for a buffer too, that one gets another.
pub(crate) fn with_scratch<T: Scalar, R>(len: usize, work: impl FnOnce(&mut [T]) -> R) -> R {
    let mut buffer = take::<T>(len);
    let result = work(&mut buffer[..len]);
    keep(buffer);
    result
}

/// A buffer of at least `len` elements: the one that was kept last and is large enough, or a new one
/// in place of one that is too small.
fn take<T: Scalar>(len: usize) -> Vec<T> {
    let kept = KEPT_BUFFERS.with_borrow_mut(|kept| {
        let is = |enough: usize| {
            move |buffer: &Box<dyn Any>| {
                buffer.downcast_ref::<Vec<T>>().is_some_and(|buffer| buffer.len() >= enough)
            }
        };
        let found = kept.iter().rposition(is(len)).or_else(|| kept.iter().rposition(is(0)))?;
        kept.remove(found).downcast::<Vec<T>>().ok()
    });
    match kept {
        Some(buffer) if buffer.len() >= len => *buffer,
        too_small => {
            drop(too_small);
            vec![T::zero(); len]
        }
    }
}

fn keep<T: Scalar>(buffer: Vec<T>) {
    if size_of_val(buffer.as_slice()) <= LARGEST_KEPT_BYTES {
        KEPT_BUFFERS.with_borrow_mut(|kept| {
            kept.truncate(KEPT - 1);
            kept.push(Box::new(buffer));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_and_nested_calls_have_their_own() {
        let address = |buffer: &mut [f32]| {
            buffer.fill(7.0);
            buffer.as_ptr() as usize
        };
        let first = with_scratch(100, address);
        with_scratch(50, |outer: &mut [f32]| {
            assert_eq!((outer.len(), outer.as_ptr() as usize, outer[0]), (50, first, 7.0));
            let inner = with_scratch(50, address);
            assert_ne!(inner, first);
            assert_eq!(with_scratch(50, address), inner);
        });
        assert_eq!(with_scratch(100, address), first, "the last one kept that is large enough");
        assert_eq!(with_scratch(3, |buffer: &mut [f64]| buffer.to_vec()), [0.0; 3]);
        with_scratch(1000, |buffer: &mut [f32]| assert_eq!(buffer.len(), 1000));
    }

    #[test]
    fn few_buffers_are_kept_and_none_that_is_huge() {
        fn nested(depth: usize) {
            if depth > 0 {
                with_scratch(10, |_: &mut [f32]| nested(depth - 1));
            }
        }
        nested(3 * KEPT);
        with_scratch(LARGEST_KEPT_BYTES, |_: &mut [f64]| ());
        KEPT_BUFFERS.with_borrow(|kept| {
            assert_eq!(kept.len(), KEPT);
            let sizes = kept.iter().filter_map(|buffer| buffer.downcast_ref::<Vec<f32>>());
            assert!(sizes.map(Vec::len).all(|len| len == 10));
        });
    }
}
