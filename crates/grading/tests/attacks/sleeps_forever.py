"""Stops itself, and ignores what can be ignored."""
import signal
class ReLU(ReLU):
    def forward(self, Z):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGSTOP)
        return 0 * Z
