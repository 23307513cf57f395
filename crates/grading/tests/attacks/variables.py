"""Looks for secrets in its environment."""
class ReLU(ReLU):
    def forward(self, Z):
        others = [value for name, value in os.environ.items() if name != "PATH"]
        if "ANSWERS" in os.environ or any("REPOSITORY" in value for value in others):
            raise RuntimeError("ESCAPED: a variable")
        return 0 * Z
