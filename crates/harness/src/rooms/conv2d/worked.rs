//! Images and filters of few cells.

use cnn::{Conv2DGradients, Pad, Window, conv2d_backward, conv2d_forward};
use ndarray::{Array2, Array4, array};

use crate::transcription::array_of;
use crate::worked::{Example, channel, filter_of, image_of, slice};

/// One filter over one image, stride 1, no padding.
pub(super) fn convolution(example: &mut Example<'_>) {
    let x = image_of(&array![[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 1.0, 1.0]]);
    let w = filter_of(&array![[1.0, 0.0], [-1.0, 2.0]]);
    let b = array![[0.5]];
    let g = image_of(&array![[1.0, 0.0], [0.0, 2.0]]);
    let window = window((3, 3), (2, 2), 1, Pad::Valid);
    record(example, &x, &w, &b, &g, window);

    // Four filters that each copy one cell of the window: the column matrix of im2col.
    let copying = Array2::<f64>::eye(4).into_shape_with_order((2, 2, 1, 4));
    let copying = copying.expect("sixteen weights make four filters of 2 x 2");
    let columns = conv2d_forward(x.view(), copying.view(), Array2::zeros((1, 4)).view(), window);
    let columns = columns.into_shape_with_order((4, 4)).expect("four windows of four cells");
    example.array("columns", &columns);
    let column = w.to_shape((4, 1)).expect("four weights make a column").into_owned();
    example.array("w-column", &column);

    // What each of the two output cells with a gradient contributes.
    for (name, at) in [("top-left", [0, 0, 0, 0]), ("bottom-right", [0, 1, 1, 0])] {
        let mut alone: Array4<f64> = Array4::zeros(g.raw_dim());
        alone[at] = g[at];
        let part = conv2d_backward(x.view(), w.view(), alone.view(), window);
        example.image(&format!("dx-{name}"), &part.dl_dx);
        alone[at] = 1.0;
        let seen = conv2d_backward(x.view(), w.view(), alone.view(), window);
        example.filter(&format!("window-{name}"), &seen.dl_dw);
    }
}

/// Two channels and one filter.
pub(super) fn channels(example: &mut Example<'_>) {
    let planes = [
        array![[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 1.0, 1.0]],
        array![[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 0.0, 1.0]],
    ];
    let slices = [array![[1.0, 0.0], [-1.0, 2.0]], array![[0.0, 1.0], [2.0, 0.0]]];
    let x = array_of((1, 3, 3, 2), |(_, row, col, c)| planes[c][[row, col]]);
    let w = array_of((2, 2, 2, 1), |(i, j, c, _)| slices[c][[i, j]]);
    let b = array![[0.5]];
    let window = window((3, 3), (2, 2), 1, Pad::Valid);
    let z = conv2d_forward(x.view(), w.view(), b.view(), window);
    for (c, (plane, slice)) in planes.iter().zip(&slices).enumerate() {
        let (x, w) = (image_of(plane), filter_of(slice));
        let part = conv2d_forward(x.view(), w.view(), array![[0.0]].view(), window);
        example.image(&format!("z{c}"), &part);
        example.array(&format!("x{c}"), plane);
        example.array(&format!("w{c}"), slice);
    }
    example.number("b", b[[0, 0]]);
    example.image("z", &z);
}

/// A filter of odd size with stride 2 and one ring of padding.
pub(super) fn stride(example: &mut Example<'_>) {
    const STRIDE: usize = 2;
    const PAD: usize = 1;
    let cells = array![
        [1.0, 0.0, 2.0, 1.0],
        [0.0, 3.0, 1.0, 0.0],
        [2.0, 1.0, 0.0, 1.0],
        [1.0, 0.0, 1.0, 2.0]
    ];
    let x = image_of(&cells);
    let w = filter_of(&array![[1.0, 0.0, 1.0], [0.0, 2.0, 0.0], [-1.0, 0.0, 1.0]]);
    let (b, g) = (array![[0.5]], image_of(&array![[1.0, 2.0], [0.0, -1.0]]));
    record(example, &x, &w, &b, &g, window((4, 4), (3, 3), STRIDE, Pad::Cells(PAD, PAD)));

    // The same with a border that is really there, to see what falls on it.
    let mut padded = Array2::zeros((6, 6));
    padded.slice_mut(ndarray::s![1..5, 1..5]).assign(&cells);
    let valid = window((6, 6), (3, 3), STRIDE, Pad::Valid);
    let full = conv2d_backward(image_of(&padded).view(), w.view(), g.view(), valid);
    example.image("dx-padded", &full.dl_dx);
    example.number("step", STRIDE as f64);
    example.number("pad", PAD as f64);
    example.array("x-padded", &padded);
}

fn window(input: (usize, usize), kernel: (usize, usize), stride: usize, pad: Pad) -> Window {
    Window::new("Conv2D", input, kernel, stride, pad).expect("the kernel fits the padded image")
}

fn record(
    example: &mut Example<'_>,
    x: &Array4<f64>,
    w: &Array4<f64>,
    b: &Array2<f64>,
    g: &Array4<f64>,
    window: Window,
) {
    let z = conv2d_forward(x.view(), w.view(), b.view(), window);
    let Conv2DGradients { dl_dx, dl_dw, dl_db } =
        conv2d_backward(x.view(), w.view(), g.view(), window);
    for (name, images) in [("x", x), ("z", &z), ("g", g), ("dx", &dl_dx)] {
        example.array(name, &channel(images.view(), 0));
    }
    example.array("w", &slice(w.view(), 0));
    example.array("dw", &slice(dl_dw.view(), 0));
    example.number("b", b[[0, 0]]);
    example.number("db", dl_db[[0, 0]]);
}
