// Makes of a JPEG the other pictures that `cargo xtask bench image` starts from: large.jpg of 6000x4000 pixels,
// cutout.png of 2300x1739 with a soft edge around what is not see-through, and photo.webp of the JPEG's own size.
//
// Usage: node sharp-pictures.js JPEG FOLDER

'use strict';

const path = require('node:path');
const sharp = require('sharp');

const [jpeg, folder] = process.argv.slice(2);

const edge = Buffer.from(`<svg width="2300" height="1739">
  <radialGradient id="soft"><stop offset="0.8" stop-color="#fff"/><stop offset="1" stop-opacity="0"/></radialGradient>
  <rect width="2300" height="1739" fill="url(#soft)"/>
</svg>`);

async function make() {
  const resized = (width, height) => sharp(jpeg).resize(width, height, { fit: 'cover' });
  await resized(6000, 4000).jpeg({ quality: 88 }).toFile(path.join(folder, 'large.jpg'));
  const cutout = resized(2300, 1739).ensureAlpha().composite([{ input: edge, blend: 'dest-in' }]);
  await cutout.png().toFile(path.join(folder, 'cutout.png'));
  await sharp(jpeg).webp({ quality: 90 }).toFile(path.join(folder, 'photo.webp'));
}

make();
