// Prints what sharp makes of many requests: sizes, and where it crops and pads. `sharp_geometry.tsv` is its output.
//
// npm install sharp@0.35.5 && node sharp_geometry.js > sharp_geometry.tsv
//
// A white picture padded with black shows where it lies by its first white pixel. A crop of noise is looked for in the
// whole (`outside`, which scales alike).
const sharp = require('sharp');
const fits = ['cover', 'contain', 'fill', 'inside', 'outside'];
const compass =
    ['center', 'north', 'northeast', 'east', 'southeast', 'south', 'southwest', 'west', 'northwest'];

// Sizes that are known for their rounding, each with every target, fit and permission to enlarge.
function* chosen() {
    const sources =
        [[640, 480], [2725, 2225], [1, 1], [10000, 1], [1, 3000], [3, 2], [1000, 7], [7, 1000], [101, 57]];
    const targets = [[100, 100], [320, 0], [0, 201], [720, 588], [1, 1], [33, 77], [8, 8000]];
    for (const [width, height] of sources) {
        for (const [targetWidth, targetHeight] of targets) {
            for (const fit of fits) {
                for (const enlarge of [0, 1]) {
                    yield [width, height, targetWidth, targetHeight, fit, enlarge, 'center'];
                }
            }
        }
    }
    for (const [width, height] of [[251, 99], [250, 99], [99, 250], [99, 251]]) {
        for (const [targetWidth, targetHeight] of [[100, 99], [99, 100], [101, 101], [300, 99], [99, 300]]) {
            for (const fit of ['cover', 'contain']) {
                for (const gravity of compass) {
                    yield [width, height, targetWidth, targetHeight, fit, 0, gravity];
                }
            }
        }
    }
}

// Any sizes, the same ones each time.
function* scattered(count) {
    let state = 12345;
    const below = (n) => {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        return (state >>> 8) % n;
    };
    const pick = (list) => list[below(list.length)];
    const sides = [1, 2, 3, 5, 7, 16, 31, 50, 99, 100, 101, 127, 150, 199, 251, 333, 480, 641, 800];
    const narrow = [[2000, 1], [1, 2000], [1999, 3], [3, 1777], [1000, 7], [5, 1234]];
    for (let i = 0; i < count; i++) {
        const side = () => (below(3) ? pick(sides) : 1 + below(500));
        const [width, height] = i % 8 === 0 ? pick(narrow) : [side(), side()];
        const missing = below(6);
        const targetWidth = missing === 0 ? 0 : side();
        const targetHeight = missing === 1 ? 0 : side();
        yield [width, height, targetWidth, targetHeight, fits[i % 5], below(2), pick(compass)];
    }
}

// What sharp makes of a picture: samples, width, height, channels.
async function resized(samples, [width, height, targetWidth, targetHeight, , enlarge, position], fit) {
    const size = { width: targetWidth || undefined, height: targetHeight || undefined };
    const options = { ...size, fit, position, withoutEnlargement: !enlarge, background: '#000' };
    const picture = sharp(samples, { raw: { width, height, channels: 3 } }).resize(options);
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    return { data, ...info };
}

// Where the white picture lies on its black canvas.
function placeOnCanvas({ data, width, channels }) {
    const pixel = Math.floor(data.findIndex((sample) => sample > 200) / channels);
    return [pixel % width, Math.floor(pixel / width)];
}

// Where the crop was cut from the whole: the one place where all its pixels are the same. A dash for an edge that
// could be elsewhere too.
function placeInWhole(crop, whole) {
    const places = [];
    const rowBytes = crop.width * crop.channels;
    for (let top = 0; top <= whole.height - crop.height; top++) {
        for (let left = 0; left <= whole.width - crop.width; left++) {
            const isHere = [...Array(crop.height).keys()].every((row) => {
                const start = ((top + row) * whole.width + left) * whole.channels;
                return crop.data.compare(whole.data, start, start + rowBytes, row * rowBytes, (row + 1) * rowBytes) === 0;
            });
            if (isHere) {
                places.push([left, top]);
            }
        }
    }
    if (places.length === 0) {
        throw new Error('the crop is no part of the whole');
    }
    return [0, 1].map((axis) => (places.every((place) => place[axis] === places[0][axis]) ? places[0][axis] : '-'));
}

async function found(request) {
    const [width, height, , , fit] = request;
    const n = width * height * 3;
    if (fit === 'cover') {
        const noise = Buffer.from(Array.from({ length: n }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24));
        const crop = await resized(noise, request, fit);
        const place = placeInWhole(crop, await resized(noise, request, 'outside'));
        return [crop.width, crop.height, ...place];
    }
    const result = await resized(Buffer.alloc(n, 255), request, fit);
    return [result.width, result.height, ...(fit === 'contain' ? placeOnCanvas(result) : [0, 0])];
}

async function main() {
    sharp.concurrency(1);
    const { sharp: version, vips } = sharp.versions;
    console.log(`# What sharp ${version} (libvips ${vips}) makes of requests; printed by sharp_geometry.js.`);
    console.log('# width, height, target width, target height (0: not given), fit, may enlarge, position, result width,');
    console.log('# result height, left and top edge of the crop (cover) or of the picture on its canvas (contain).');
    console.log('# A dash: cannot be seen.');
    const seen = new Set();
    for (const request of [...chosen(), ...scattered(4400)]) {
        const [width, height, targetWidth, targetHeight, , enlarge] = request;
        const growth = Math.max(targetWidth / width, targetHeight / height);
        const isHuge = enlarge && width * growth * height * growth > 6e6;
        if (!isHuge && !seen.has(request.join())) {
            seen.add(request.join());
            console.log([...request, ...(await found(request))].join('\t'));
        }
    }
}

main();
