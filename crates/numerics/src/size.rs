//! The size of an array, before there is one.

/// The most elements of one array: 2³⁰, which take 4 GiB in `f32` and 8 GiB in `f64`.
///
/// No tensor of a network that this workspace can train comes near it. A shape with more is a mistake, and is
/// refused before memory is taken for it; so products of sizes below it cannot overflow either.
pub const MOST_ELEMENTS: usize = 1 << 30;

/// The number of elements of an array of this shape; nothing if there are more than [`MOST_ELEMENTS`], or would
/// be without the axes that are empty.
///
/// ```
/// assert_eq!(numerics::element_count(&[4, 5, 6]), Some(120));
/// assert_eq!(numerics::element_count(&[0, 5]), Some(0));
/// assert_eq!(numerics::element_count(&[4, 99_999_999_999]), None);
/// assert_eq!(numerics::element_count(&[0, usize::MAX, usize::MAX]), None);
/// ```
pub fn element_count(shape: &[usize]) -> Option<usize> {
    // ndarray, too, wants the axes that are not empty to have a product.
    let count = shape.iter().try_fold(1_usize, |count, &length| {
        count.checked_mul(length.max(1)).filter(|&count| count <= MOST_ELEMENTS)
    })?;
    Some(if shape.contains(&0) { 0 } else { count })
}
