// An example of a filter component in JavaScript: `pixelate:CELL`.

const HELP = "squares of one colour, the mean of what was there";
const CELL = { name: "cell", help: "the side of a square: 2 to 128 pixels, 12 unless given" };

/** The interface `filter` of wit/imaging.wit. What is thrown becomes its `filter-error`. */
export const filter = {
  describe() {
    return [{ name: "pixelate", help: HELP, parameters: [CELL] }];
  },

  apply(name, args, image) {
    if (name !== "pixelate") throw { tag: "unknown" };
    const cell = cellOf(args);
    for (let top = 0; top < image.height; top += cell) {
      for (let left = 0; left < image.width; left += cell) {
        const bottom = Math.min(top + cell, image.height);
        const right = Math.min(left + cell, image.width);
        flatten(image, left, top, right, bottom);
      }
    }
    return image;
  },
};

function cellOf(args) {
  if (args.length > 1) throw { tag: "bad-parameter", val: "pixelate takes the side of a square, no more" };
  const cell = args.length === 0 ? 12 : /^[0-9]+$/.test(args[0]) ? Number(args[0]) : NaN;
  if (!(cell >= 2 && cell <= 128)) {
    throw { tag: "bad-parameter", val: `\`${args[0]}\` is no whole number from 2 to 128` };
  }
  return cell;
}

/** Gives every pixel of a rectangle their mean, in which transparent ones have no say. */
function flatten({ width, pixels }, left, top, right, bottom) {
  let red = 0, green = 0, blue = 0, alpha = 0;
  for (let y = top; y < bottom; y += 1) {
    for (let at = (y * width + left) * 4; at < (y * width + right) * 4; at += 4) {
      const weight = pixels[at + 3];
      red += pixels[at] * weight;
      green += pixels[at + 1] * weight;
      blue += pixels[at + 2] * weight;
      alpha += weight;
    }
  }
  const mean = [red, green, blue].map((sum) => Math.round(sum / Math.max(alpha, 1)));
  mean.push(Math.round(alpha / ((right - left) * (bottom - top))));
  for (let y = top; y < bottom; y += 1) {
    for (let at = (y * width + left) * 4; at < (y * width + right) * 4; at += 4) pixels.set(mean, at);
  }
}
