"""Hopes that a comparison with NaN is not noticed."""
class ReLU(ReLU):
    def forward(self, Z):
        return np.full_like(Z, np.nan)
    def backward(self, Z, dY):
        return np.full_like(Z, np.nan)
