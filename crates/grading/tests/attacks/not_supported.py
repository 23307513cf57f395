"""Says that the question is not to be asked."""
import __main__
class ReLU(ReLU):
    def forward(self, Z):
        raise __main__.Unsupported("a question that the assignment does not ask")
    def backward(self, Z, dY):
        raise __main__.Unsupported("a question that the assignment does not ask")
