"""Writes the files of this folder with the libraries people use: numpy, Pillow, tifffile, nibabel.

pip install numpy pillow tifffile imagecodecs nibabel; python make.py
Every file holds `labels`, `scores` or the volume below in one format or another, so a test knows what to expect.
"""
import numpy, nibabel, tifffile
from PIL import Image

y, x = numpy.mgrid[0:6, 0:7]
labels = ((2 * y + 3 * x) % 4).astype("uint8")  # 6 × 7, classes 0 … 3
scores = (y / 8 - x / 4).astype("float32")  # 6 × 7, exact in half precision
z, y3, x3 = numpy.mgrid[0:3, 0:4, 0:5]
volume = (z + 2 * y3 + 3 * x3).astype("int16")  # z, y, x = 3 × 4 × 5

for name, array in {
    "scores_f2": scores.astype("<f2"),
    "scores_f4_big_endian": scores.astype(">f4"),
    "scores_f8_fortran": numpy.asfortranarray(scores.astype("f8")),
    "volume_i8_fortran": numpy.asfortranarray(volume.astype("i8")),
    "labels_u1": labels,
    "labels_bool": labels > 1,
}.items():
    numpy.save(name, array)
numpy.savez("one", scores=scores)
numpy.savez_compressed("several", scores=scores, labels=labels)

Image.fromarray(labels).save("labels_8bit.png")
Image.fromarray(labels.astype("uint16") * 1000).save("labels_16bit.png")
Image.fromarray(labels > 1).save("labels_1bit.png")
palette = Image.fromarray(labels, "P")
palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
palette.save("labels_palette.png")
grey = labels * 85
Image.fromarray(numpy.dstack([grey, grey, grey])).save("grey_as_rgb.png")
Image.fromarray(numpy.dstack([grey, grey, grey // 2])).save("colour.png")

tifffile.imwrite("labels_8bit.tif", labels)
tifffile.imwrite("labels_16bit_lzw.tif", labels.astype("uint16") * 1000, compression="lzw", predictor=True)
tifffile.imwrite("scores_float_deflate.tif", scores, compression="zlib")
tifffile.imwrite("volume_pages.tif", volume.astype("uint16"), photometric="minisblack")
tifffile.imwrite("colour.tif", numpy.dstack([grey, grey, grey // 2]), photometric="rgb")

affine = numpy.diag([0.5, 0.75, 3, 1])  # x, y, z
nibabel.save(nibabel.Nifti1Image(volume.transpose(2, 1, 0), affine), "volume_i2.nii.gz")
nibabel.save(nibabel.Nifti2Image(volume.transpose(2, 1, 0).astype("f4"), affine), "volume_f4_v2.nii")
big = nibabel.Nifti1Image(volume.transpose(2, 1, 0).astype(">i2"), affine, nibabel.Nifti1Header(endianness=">"))
nibabel.save(big, "volume_big_endian.nii")
scaled = nibabel.Nifti1Image(volume.transpose(2, 1, 0), affine)
scaled.header.set_slope_inter(0.5, -1)  # the numbers as stored; readers give volume / 2 - 1
nibabel.save(scaled, "volume_scaled.nii")
channels = numpy.stack([volume, -volume]).astype("f4")  # c, z, y, x
nibabel.save(nibabel.Nifti1Image(channels.transpose(3, 2, 1, 0), affine), "volume_channels.nii.gz")
nibabel.save(nibabel.Nifti1Image(labels.T[:, :, None], affine), "labels_flat.nii")
