// Writes pictures of many kinds, what sharp makes of them, and `cases.tsv`: name, source, transform, reference.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const [folder, photo] = process.argv.slice(2);
if (!folder) throw new Error('usage: node generate.mjs FOLDER [PHOTO.jpg]');
const require = createRequire(path.resolve(folder, 'x.js'));
const sharp = require('sharp');
// An older sharp, for what becomes of inks: the newer one has a Little CMS that takes the black point for tinted.
const inks = require('inks');
const adobe = path.resolve(folder, 'adobe.icc');
const cases = [];

let seed = 1;
const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;

/** A picture of which `pixel(x, y)` gives the channels, from 0 to 1. */
function drawn(width, height, channels, pixel) {
  const data = Buffer.alloc(width * height * channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) pixel(x, y).forEach((v, i) => (data[(y * width + x) * channels + i] = Math.round(255 * v)));
  return sharp(data, { raw: { width, height, channels } });
}

/** The same in 16 bits. */
function drawn16(width, height, channels, pixel) {
  const data = new Uint16Array(width * height * channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) pixel(x, y).forEach((v, i) => (data[(y * width + x) * channels + i] = Math.round(65535 * v)));
  return sharp(data, { raw: { width, height, channels } }).toColourspace(channels < 3 ? 'grey16' : 'rgb16');
}

const drawing = (width, height, body) => sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${body}</svg>`));

/** Scales `file`, or `original` instead, to each of `sizes` (width, or width and height to cover). */
async function add(name, file, sizes, original) {
  const source = path.join(folder, file);
  for (const [width, height] of sizes.map((size) => [size].flat())) {
    const reference = path.join(folder, `${name}-${width}${height ? `x${height}` : ''}.png`);
    await (name.includes('cmyk') ? inks : sharp)(original ?? source).resize(width, height, { fit: 'cover' }).toColourspace('srgb').png().toFile(reference);
    const options = `w=${width}${height ? `,h=${height},fit=cover` : ''},enlarge=1,f=png`;
    cases.push([path.basename(reference, '.png'), source, options, reference].join('\t'));
  }
}

async function made(name, picture, sizes, format = 'png') {
  await picture.toFormat(format, { quality: 95, chromaSubsampling: '4:4:4' }).toFile(path.join(folder, `${name}.${format}`));
  await add(name, `${name}.${format}`, sizes);
}

// Opacity: soft and hard edges, with colours under what cannot be seen.
const disc = (x, y, r) => Math.max(0, Math.min(1, r - Math.hypot(x - 300, y - 300)));
await made('alpha-disc', drawn(600, 600, 4, (x, y) => [1, x / 600, 0.1, disc(x, y, 280)]), [300, 97, [120, 60]]);
await made('alpha-fade', drawn(640, 480, 4, (x, y) => [0.9, 0.3, y / 480, x / 640]), [320, 111]);
await made('alpha-checks', drawn(512, 512, 4, (x, y) => [(x % 64) / 64, 0.5, 1 - y / 512, ((x >> 4) + (y >> 4)) & 1]), [256, 150]);
await made('alpha-noise', drawn(400, 300, 4, () => [random(), random(), random(), random()]), [200, 133]);
const word = '<text x="40" y="200" font-size="150" font-family="sans-serif" fill="#1a5fb4">Ag&amp;Q</text><path d="M40 260 Q300 200 560 270" stroke="#c01c28" stroke-width="6" fill="none"/>';
await made('alpha-logo', drawing(600, 320, word), [300, 128]);

// Lines, letters, patterns.
const lines = Array.from({ length: 40 }, (_, i) => `<path d="M${i * 20} 0 L${800 - i * 20} 600" stroke="#000" stroke-width="${0.5 + (i % 4)}"/>`).join('');
await made('lines', drawing(800, 600, `<rect width="800" height="600" fill="#fff"/>${lines}`), [400, 300, 123]);
const page = Array.from({ length: 24 }, (_, i) => `<text x="30" y="${40 + i * 32}" font-size="${12 + (i % 5) * 4}" font-family="serif">The quick brown fox jumps over the lazy dog 0123456789</text>`).join('');
await made('letters', drawing(1000, 820, `<rect width="1000" height="820" fill="#fff"/>${page}`), [500, 333]);
await made('zone-plate', drawn(600, 600, 1, (x, y) => [0.5 + 0.5 * Math.cos(((x - 300) ** 2 + (y - 300) ** 2) / 380)]), [450, 300, 200]);
await made('checks', drawn(512, 512, 3, (x, y) => Array(3).fill(((x >> 1) + (y >> 1)) & 1)), [300, 128]);
await made('stripes', drawn(640, 200, 3, (x) => [x & 1, x & 1, (x >> 3) & 1]), [320, 213]);

// Noise and gradients.
await made('noise', drawn(800, 600, 3, () => [random(), random(), random()]), [600, 400, 100]);
await made('noise-gray', drawn(500, 500, 1, () => [random()]), [333, 125]);
await made('gradient', drawn(900, 600, 3, (x, y) => [x / 900, y / 600, (x + y) / 1500]), [450, 90]);
await made('dark', drawn(600, 400, 3, (x, y) => [0.05 + 0.05 * Math.sin(x / 9), 0.06 * (y / 400), 0.04]), [300, 77]);

// 16 bits.
await made('deep-gradient', drawn16(700, 500, 3, (x, y) => [x / 700, y / 500, 0.3]), [350, 123]);
await made('deep-noise', drawn16(400, 400, 3, () => [random(), random(), random()]), [200]);
await made('deep-gray', drawn16(600, 400, 1, (x, y) => [(x * y) / 240000]), [300, 99]);
await made('deep-alpha', drawn16(500, 400, 4, (x, y) => [x / 500, 0.4, 0.8, y / 400]), [250]);

// Profiles, of a picture with many colours.
const colors = () => drawn(600, 450, 3, (x, y) => [0.5 + 0.5 * Math.sin(x / 31), 0.5 + 0.5 * Math.sin(y / 23 + 1), 0.5 + 0.5 * Math.sin((x + y) / 47 + 2)]);
await made('p3-colors', colors().withIccProfile('p3'), [300, 111]);
await made('p3-colors-jpeg', colors().withIccProfile('p3'), [300], 'jpeg');
if (fs.existsSync(adobe)) {
  // The numbers are kept, and called Adobe RGB.
  const tagged = path.join(folder, 'adobe-colors.png');
  await colors().withIccProfile(adobe).png().toFile(tagged);
  await add('adobe-colors', 'adobe-colors.png', [300, 99]);
}
await made('cmyk-colors', colors().toColourspace('cmyk').withIccProfile('cmyk'), [300, 150], 'jpeg');
await made('gray-colors', colors().greyscale(), [300], 'jpeg');
await made('palette', drawing(600, 320, `<rect width="600" height="320" fill="#fc8"/>${word}`).png({ palette: true, colours: 16 }), [300]);

// Larger.
await made('larger-colors', colors().resize(120, 90), [240, 333]);
await made('larger-logo', drawing(600, 320, word).resize(100), [250]);

if (photo) {
  const { width, height } = await sharp(photo).metadata();
  fs.copyFileSync(photo, path.join(folder, 'photo.jpg'));
  // Sharp decodes a JPEG smaller where it can, and then takes odd sides for rounded up, which moves the picture by part
  // of a pixel. So the reference is made of all of its pixels.
  await add('photo', 'photo.jpg', [1200, 720, 320, [100, 100]], await sharp(photo).png().toBuffer());
  for (const [i, [x, y, side]] of [[0.1, 0.2, 900], [0.5, 0.5, 700], [0.3, 0.6, 500]].entries()) {
    const crop = () => sharp(photo).extract({ left: Math.round(x * (width - side)), top: Math.round(y * (height - side)), width: side, height: side });
    await made(`photo-crop${i}`, crop(), [Math.round(side * 0.66), Math.round(side / 3.1), 64]);
    await made(`photo-crop${i}-p3`, crop().withIccProfile('p3'), [Math.round(side / 2.2)]);
    await made(`photo-crop${i}-cmyk`, crop().toColourspace('cmyk').withIccProfile('cmyk'), [Math.round(side / 2.2)], 'jpeg');
    await made(`photo-crop${i}-deep`, crop().toColourspace('rgb16'), [Math.round(side / 2.5)]);
  }
}
fs.writeFileSync(path.join(folder, 'cases.tsv'), cases.join('\n') + '\n');
console.log(`${cases.length} cases`);
