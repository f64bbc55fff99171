"""A program that does what programs usually do, to learn which memory they use (infra/launcher/sample.h)."""


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __repr__(self):
        return f"Point({self.x}, {self.y})"


def half(number):
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number // 2


def main():
    squares = [number * number for number in range(100)]
    counts = {word: len(word) for word in "one two three".split()}
    print(sum(squares), sorted(counts, key=counts.get), {1, 2.5, None})
    print(Point(1, "two"), "%s and %d" % ("text", 3), b"bytes", end="\n")
    try:
        half(3)
    except ValueError as error:
        print(error)


if __name__ == "__main__":
    main()
