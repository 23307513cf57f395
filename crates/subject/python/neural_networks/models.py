"""A network: a list of layers, a loss and an optimiser."""

from typing import Dict, List, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from neural_networks.layers import initialize_layer
from neural_networks.losses import initialize_loss
from neural_networks.optimizers import initialize_optimizer
from neural_networks.utils.data_structures import AttrDict


def initialize_model(name, loss, layer_args, optimizer_args, logger=None, seed=None):
    return NeuralNetwork(loss, layer_args, optimizer_args, logger=logger, seed=seed)


class NeuralNetwork:
    def __init__(
        self, loss: str, layer_args: Sequence[AttrDict], optimizer_args: AttrDict,
        logger=None, seed: int = None,
    ) -> None:
        self.n_layers = len(layer_args)
        self.layer_args = layer_args
        self.logger = logger
        self.loss = initialize_loss(loss)
        self.optimizer = initialize_optimizer(**optimizer_args)
        # The width of the last layer comes from the data set: train() appends that layer.
        self.layers = [initialize_layer(**args) for args in layer_args[:-1]]

    def forward(self, X: np.ndarray) -> np.ndarray:
        for layer in self.layers:
            X = layer.forward(X)
        return X

    def backward(self, target: np.ndarray, out: np.ndarray) -> float:
        L = self.loss.forward(target, out)
        dY = self.loss.backward(target, out)
        for i in range(len(self.layers) - 1, -1, -1):
            dY = self.layers[i].backward(dY)
        return L

    def update(self, epoch: int) -> None:
        for i, layer in enumerate(self.layers):
            for name, param in layer.parameters.items():
                delta = self.optimizer.update(name + str(i), param, layer.gradients[name], epoch)
                layer.parameters[name] = param - delta
            layer.clear_gradients()

    def error(self, target: np.ndarray, out: np.ndarray) -> float:
        if self.loss.name == "cross_entropy":
            return np.mean(out.argmax(axis=1) != target.argmax(axis=1))
        return np.mean((target - out) ** 2)

    def train(self, dataset, epochs: int) -> List[Dict[str, float]]:
        last = AttrDict(self.layer_args[-1], n_out=dataset.out_dim)
        self.layers.append(initialize_layer(**last))
        log = []
        for epoch in range(epochs):
            losses, errors = [], []
            for _ in tqdm(range(dataset.train.samples_per_epoch)):
                X, Y = dataset.train.sample()
                Y_hat = self.forward(X)
                losses.append(self.backward(Y, Y_hat))
                errors.append(self.error(Y, Y_hat))
                self.update(epoch)
            log.append({"loss": float(np.mean(losses)), "error": float(np.mean(errors))})
        return log

    def predict(self, X: np.ndarray, Y: np.ndarray) -> Tuple[np.ndarray, float]:
        Y_hat = self.forward(X)
        return Y_hat, self.loss.forward(Y, Y_hat)
