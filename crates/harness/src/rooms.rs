//! The list of all rooms.

pub(crate) mod arctan;
mod batch_norm;
pub(crate) mod conv2d;
mod cross_entropy;
mod dropout;
pub(crate) mod einsum;
mod flatten;
pub(crate) mod fully_connected;
pub(crate) mod gelu;
mod global_average_pool2d;
mod l2;
mod label_smoothing;
mod linear;
mod muon;
pub(crate) mod network;
pub(crate) mod pool2d;
pub(crate) mod relu;
mod schedules;
mod sgd;
pub(crate) mod sigmoid;
mod softmax;
mod softmax_cross_entropy;
pub(crate) mod tanh;
mod whitening;
mod winograd;

use crate::activation::ActivationRoom;
use crate::layer::LayerRoom;
use crate::loss::LossRoom;
use crate::room::Room;

/// Every room, in the order in which its checks are printed.
pub(crate) fn all() -> Vec<Room> {
    let mut all: Vec<Room> = Vec::new();
    all.extend(activations().map(Room::from));
    all.extend(layers().map(Room::from));
    all.extend(losses().map(Room::from));
    all.extend([
        Room::from(&network::ROOM),
        Room::from(&winograd::ROOM),
        Room::from(&einsum::ROOM),
        Room::from(&sgd::ROOM),
        Room::from(&muon::ROOM),
        Room::from(&schedules::ROOM),
        Room::from(&label_smoothing::ROOM),
        Room::from(&whitening::ROOM),
        Room::from(&gelu::IN_SINGLE_PRECISION),
    ]);
    all
}

/// The rooms of the activations.
pub(crate) fn activations() -> [&'static ActivationRoom; 7] {
    [
        &linear::ROOM,
        &sigmoid::ROOM,
        &tanh::ROOM,
        &relu::ROOM,
        &softmax::ROOM,
        &arctan::ROOM,
        &gelu::ROOM,
    ]
}

/// The rooms of the classes of layers.
pub(crate) fn layers() -> [&'static LayerRoom; 7] {
    [
        &fully_connected::ROOM,
        &flatten::ROOM,
        &conv2d::ROOM,
        &pool2d::ROOM,
        &global_average_pool2d::ROOM,
        &batch_norm::ROOM,
        &dropout::ROOM,
    ]
}

/// The rooms of the losses.
pub(crate) fn losses() -> [&'static LossRoom; 3] {
    [&cross_entropy::ROOM, &l2::ROOM, &softmax_cross_entropy::ROOM]
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests;
