// Makes with Express and sharp what `cargo xtask bench` has ScaleHoster make: GET /NAME?w=720&h=588&f=jpeg&q=80 is the
// file NAME of a folder inside 720x588 pixels (without `h`: 720 across) as a JPEG, made anew for each request.
//
// Usage: node sharp-server.js PORT FOLDER

'use strict';

const path = require('node:path');
const express = require('express');
const sharp = require('sharp');

const [port, folder] = process.argv.slice(2);

// One thread for a picture, and nothing remembered of it.
sharp.concurrency(1);
sharp.cache(false);

// The formats of `f`. What is not of the request is sharp's default, by name where it is the one that matters.
const encoders = {
  jpeg: (picture, quality) => picture.jpeg({ quality }),
  webp: (picture, quality) => picture.webp({ quality, effort: 4 }),
  png: (picture) => picture.png(),
};

const app = express();

app.get('/:name', async (request, response) => {
  const { w, h, f, q } = request.query;
  const file = path.join(folder, path.basename(request.params.name));
  const picture = sharp(file).autoOrient().resize(Number(w), h && Number(h), { fit: 'inside' });
  response.type(f).send(await encoders[f](picture, q && Number(q)).toBuffer());
});

app.listen(Number(port), '127.0.0.1');
