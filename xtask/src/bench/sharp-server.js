// Resizes with Express and sharp what `cargo xtask bench` resizes with ScaleHoster: GET /NAME is the file NAME of a
// folder as a JPEG inside 720x588 pixels, made anew for each request.
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

const app = express();

app.get('/:name', async (request, response) => {
  const file = path.join(folder, path.basename(request.params.name));
  const picture = sharp(file).autoOrient().resize(720, 588, { fit: 'inside' }).jpeg({ quality: 80 });
  response.type('jpeg').send(await picture.toBuffer());
});

app.listen(Number(port), '127.0.0.1');
