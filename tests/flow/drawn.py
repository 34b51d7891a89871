"""PDFs by our own bytes, and picture codes in each way that is drawn: for test_open.py."""
import base64
import io
import subprocess
import zlib

import qrcode
import qrcode.image.svg

FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def stream(data, more=b""):
    return b"<<%s/Length %d>>stream\n" % (more, len(data)) + data + b"\nendstream\n"


def pdf_of(objects):
    """Numbered from 1; the first is the catalogue."""
    out, places = b"%PDF-1.5\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj" % number + one + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table +
            b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out)))


def page(content, font=FONT, more=b"", extra=()):
    """A PDF of one page; `extra`: objects from 6 on."""
    return pdf_of([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                   b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>" + more + b">>",
                   content, font, *extra])


def pdf_text(text):
    return page(stream(b"BT /F 9 Tf 40 700 Td (" + text + b") Tj ET"))


def pdf_japanese(text, cmap, encoding):
    """By a font that is not embedded and has no table of its own to Unicode."""
    font = (b"<</Type/Font/Subtype/Type0/BaseFont/Ryumin-Light/Encoding/" + cmap + b"/DescendantFonts[<</Type/Font/Subtype/CIDFontType0"
            b"/BaseFont/Ryumin-Light/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>/FontDescriptor<</Type/FontDescriptor"
            b"/FontName/Ryumin-Light/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0/Ascent 800/Descent -200/CapHeight 700/StemV 80>>>>]>>")
    return page(stream(b"BT /F 4 Tf 40 700 Td <" + text.encode(encoding).hex().encode() + b"> Tj ET"), font)


def pdf_links(addresses):
    notes = b"".join(b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(" + one + b")>>>>" for one in addresses)
    return page(stream(b""), more=b"/Annots[" + notes + b"]")


def pdf_code(text):
    """A code of squares, in the page's own drawing."""
    squares = b"".join(b"%d %d 5 5 re " % (100 + 5 * x, 700 - 5 * y) for y, row in enumerate(matrix(text)) for x, dark in enumerate(row) if dark)
    return page(stream(zlib.compress(squares + b"f"), b"/Filter/FlateDecode"))


def encrypted(tmp_path, data, password):
    (tmp_path / "plain.pdf").write_bytes(data)
    subprocess.run(["qpdf", "--encrypt", password, "owner", "256", "--", tmp_path / "plain.pdf", tmp_path / "encrypted.pdf"], check=True)
    return (tmp_path / "encrypted.pdf").read_bytes()


# --- codes ---

def matrix(text, border=4):
    code = qrcode.QRCode(border=border)
    code.add_data(text)
    code.make()
    return code.get_matrix()


def picture(text, form="PNG"):
    code = qrcode.QRCode(box_size=4)
    code.add_data(text)
    return encoded(code.make_image().convert("RGB"), form)


def encoded(image, form="PNG"):
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


def split(text, parts, is_below=False):
    code = qrcode.QRCode(box_size=4)
    code.add_data(text)
    image = code.make_image().convert("RGB")
    width, height = image.size
    edges = [(height if is_below else width) * i // parts for i in range(parts + 1)]
    boxes = [(0, a, width, b) if is_below else (a, 0, b, height) for a, b in zip(edges, edges[1:])]
    return [encoded(image.crop(box)) for box in boxes]


def inverted(text):
    code = qrcode.QRCode(box_size=4)
    code.add_data(text)
    return encoded(code.make_image(fill_color="white", back_color="black").convert("RGB"))


def svg(text, way="SvgPathImage"):
    out = io.BytesIO()
    code = qrcode.QRCode()
    code.add_data(text)
    code.make_image(image_factory=getattr(qrcode.image.svg, way)).save(out)
    return out.getvalue()


def characters(text, dark, light):
    return "\n".join("".join(dark if one else light for one in row) for row in matrix(text, 2))


def half_blocks(text, is_inverted=False):
    rows = [[one != is_inverted for one in row] for row in matrix(text, 2)]
    if len(rows) % 2:
        rows.append([is_inverted] * len(rows[0]))
    return "\n".join("".join(" ▄▀█"[2 * upper + lower] for upper, lower in zip(*pair)) for pair in zip(rows[::2], rows[1::2]))


def runs(row):
    out = []
    for one in row:
        if out and out[-1][0] == one:
            out[-1][1] += 1
        else:
            out.append([one, 1])
    return out


def table(text, way="bgcolor"):
    def cell(dark, times):
        return {"bgcolor": f'<td bgcolor="{"#000000" if dark else "white"}"></td>' * times,
                "style": f'<td style="width:4px;height:4px;background-color:{"rgb(0,0,64)" if dark else "#fff"}">' * times,
                "colspan": f'<td colspan={times} style="background:{"black" if dark else "#ffe"}">',
                "width": f'<td width={4 * times} height=4 bgcolor={"000" if dark else "fff"}>'}[way]
    lines = ("<tr>" + "".join(cell(dark, times) for dark, times in runs(row)) + "</tr>" for row in matrix(text, 2))
    return "<table><tr><td>Scan this: <table cellspacing=0>" + "".join(lines) + "</table></td></tr></table>"


def data_address(data, kind="png"):
    return f'<img src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'


# --- hostile ---

def png_header(width, height, more=b""):
    def chunk(name, data):
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", more) + chunk(b"IEND", b"")


def gif_frames(count):
    frame = b"\x21\xf9\4\0\0\0\0\0" + b"\x2c\0\0\0\0\x40\0\x40\0\0" + b"\2\2\x44\1\0"
    return b"GIF89a\x40\0\x40\0\x80\0\0\0\0\0\xff\xff\xff" + frame * count + b";"


def form_loop():
    """Forms that draw each other, each twice."""
    def form(next_number):
        return stream(b"/X Do /X Do", b"/Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</XObject<</X %d 0 R>>>>" % next_number)
    return pdf_of([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                   b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>",
                   stream(b"/X Do"), *(form(number) for number in range(6, 60)), form(5)])


def bomb(data, times):
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data


def hostile_pdfs():
    kids = b" ".join(b"3 0 R" for _ in range(20000))
    yield "pages that hold themselves", pdf_of([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 99>>"])
    yield "a tree of 20,000 pages", pdf_of([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[" + kids + b"]/Count 20000>>",
                                             b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>"])
    yield "a count that lies", pdf_of([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 2147483647>>"])
    yield "a table that names itself", pdf_text(b"x").replace(b"/Root", b"/Prev 9/Root").replace(b"/Prev 9", b"/Prev %d" % pdf_text(b"x").index(b"xref"))
    yield "an object that is itself", page(b" 4 0 R\n")
    yield "a stream whose length is itself", page(b"<</Length 4 0 R>>stream\nx\nendstream\n")
    yield "arrays in arrays", page(b"[" * 100000 + b"]" * 100000)
    yield "forms in forms", form_loop()
    yield "a stream in many layers", page(stream(bomb(b"q " * 2000000, 2), b"/Filter[/FlateDecode/FlateDecode]"))
    yield "5,000 links", pdf_links([b"https://a.example/"] * 5000)
    yield "text without end", page(stream(bomb(b"BT /F 9 Tf 1 0 0 1 9 9 Tm (" + b"word " * 2000 + b") Tj ET " * 900, 1), b"/Filter/FlateDecode"))
    yield "a large picture", page(stream(b"/I Do"), extra=[stream(b"", b"/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceRGB")],
                                  more=b"/Resources<</XObject<</I 6 0 R>>>>")
    yield "a large page", pdf_text(b"x").replace(b"[0 0 595 842]", b"[0 0 1e9 1e9]")


def hostile_svgs():
    uses = "".join(f'<g id="g{i}">' + f'<use href="#g{i + 1}"/>' * 10 + "</g>" for i in range(5))
    yield "uses of uses", f'<svg xmlns="http://www.w3.org/2000/svg">{uses}<g id="g5"><rect width="1" height="1"/></g></svg>'
    entities = '<!ENTITY e0 "x">' + "".join(f'<!ENTITY e{i + 1} "' + f"&e{i};" * 10 + '">' for i in range(12))
    yield "entities of entities", f'<!DOCTYPE svg [{entities}]><svg xmlns="http://www.w3.org/2000/svg"><text>&e12;</text></svg>'
    yield "a file of this machine", '<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"><text>&e;</text><image href="file:///etc/passwd"/></svg>'
    yield "groups in groups", '<svg xmlns="http://www.w3.org/2000/svg">' + "<g opacity='.5'>" * 100000
    yield "a filter", ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 99 99"><filter id="f"><feTurbulence baseFrequency="9" numOctaves="9999999"/>'
                       '<feDiffuseLighting><feDistantLight/></feDiffuseLighting></filter><rect width="99" height="99" filter="url(#f)"/></svg>')
    yield "a line of dashes", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0H1e9" stroke="#000" stroke-dasharray="1e-6"/></svg>'


def hostile_pictures():
    code = picture("x" * 40)
    yield "60,000 by 60,000", png_header(60000, 60000, bomb(bytes(100000), 1))
    yield "6 million pixels", png_header(2500, 2500, bomb(bytes(2500 * 2500 * 3 + 2500), 1))
    yield "a size that lies", png_header(400, 400, bomb(bytes(100), 1))
    yield "fewer pixels than bytes", png_header(30, 30, bomb(bytes(10000000), 1))
    yield "cut", code[:len(code) // 2]
    yield "10,000 pictures in one", gif_frames(10000)
    yield "JPEG that lies", picture("x", "JPEG").replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x08\x0f\xff\x0f\xff"[:9])
    yield "BMP that lies", picture("x", "BMP")[:18] + (4000).to_bytes(4, "little") * 2 + bytes(40)
    yield "WebP that lies", picture("x", "WEBP")[:40]


def hostile_htmls():
    yield "tables in tables", "<table><tr><td bgcolor=black>" * 8000
    yield "cells", "<table>" + "<tr>" + "<td colspan=400 bgcolor=black>" * 8000
    yield "rows", "<table>" + "<tr><td bgcolor=black width=1000 height=1000>" * 5000
    yield "blocks", "<pre>" + ("█" * 790 + "\n") * 400
    yield "quotes that do not end", "<a b='" * 30000 + "<svg"
    yield "comments that do not end", "<!--" * 60000 + "<svg"
    yield "SVG without end", "<svg>" * 50000
    yield "addresses", "data:image/png;base64,AAAA\"" * 8000
