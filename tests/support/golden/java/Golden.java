import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.message.BinaryMessageEncoder;

/**
 * Golden Avro by Apache Avro for Java: mvn -q compile exec:java -Dexec.args="../cases.json ../../../unit/decode/golden/java.txt"
 *
 * <p>As generate.py does with fastavro; besides, each record is written by the blocking encoder, whose arrays and maps say how many
 * bytes they take, and as a whole message of the single object encoding.
 */
public final class Golden {
  private static final HexFormat HEX = HexFormat.of();

  private static byte[] raw(String text) {
    return text.startsWith("hex:") ? HEX.parseHex(text.substring(4)) : text.getBytes(StandardCharsets.UTF_8);
  }

  private static Object branch(Schema union, JsonNode value) {
    for (Schema schema : union.getTypes()) {
      if (value.isNull() ? schema.getType() == Schema.Type.NULL
          : value.has("branch") ? schema.getName().equals(value.get("branch").asText())
          : schema.getType() != Schema.Type.NULL) {
        return plain(schema, value.has("branch") ? value.get("value") : value);
      }
    }
    throw new IllegalArgumentException(union + " has no branch for " + value);
  }

  /** The value as Avro's generic data wants it. */
  private static Object plain(Schema schema, JsonNode value) {
    switch (schema.getType()) {
      case NULL: return null;
      case BOOLEAN: return value.asBoolean();
      case INT: return value.asInt();
      case LONG: return value.asLong();
      case FLOAT: return (float) value.asDouble();
      case DOUBLE: return value.asDouble();
      case STRING: return value.asText();
      case BYTES: return ByteBuffer.wrap(raw(value.asText()));
      case FIXED: return new GenericData.Fixed(schema, raw(value.asText()));
      case ENUM: return new GenericData.EnumSymbol(schema, value.asText());
      case UNION: return branch(schema, value);
      case ARRAY:
        List<Object> list = new ArrayList<>();
        value.forEach(v -> list.add(plain(schema.getElementType(), v)));
        return list;
      case MAP:
        Map<String, Object> map = new LinkedHashMap<>();
        value.fields().forEachRemaining(e -> map.put(e.getKey(), plain(schema.getValueType(), e.getValue())));
        return map;
      default:
        GenericRecord record = new GenericData.Record(schema);
        schema.getFields().forEach(f -> record.put(f.name(), plain(f.schema(), value.get(f.name()))));
        return record;
    }
  }

  private static byte[] write(Schema schema, Object datum, boolean blocking) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    EncoderFactory factory = new EncoderFactory().configureBlockSize(64);
    BinaryEncoder encoder = blocking ? factory.blockingBinaryEncoder(out, null) : factory.binaryEncoder(out, null);
    new GenericDatumWriter<>(schema).write(datum, encoder);
    encoder.flush();
    return out.toByteArray();
  }

  private static Object simple(Object value) {
    return value instanceof ByteBuffer b ? new String(b.array(), StandardCharsets.UTF_8)
        : value instanceof Number n ? (Object) n.doubleValue()
        : value instanceof Boolean ? value : value.toString();
  }

  /** What Java's own schema resolution reads must be what the case expects. */
  private static void check(JsonNode test, Schema schema, byte[] datum, JsonNode expect, Path root) throws IOException {
    Schema reader = new Schema.Parser().parse(Files.readString(root.resolve(test.get("reader").asText())));
    GenericRecord seen = new GenericDatumReader<GenericRecord>(schema, reader)
        .read(null, DecoderFactory.get().binaryDecoder(datum, null));
    for (Schema.Field field : reader.getFields()) {
      Object value = seen.get(field.pos());
      JsonNode wanted = expect.has(field.name()) ? expect.get(field.name())
          : test.has("defaults") ? test.get("defaults").get(field.name()) : null;
      Object want = wanted == null ? null : wanted.isNumber() ? (Object) wanted.asDouble()
          : wanted.isBoolean() ? (Object) wanted.asBoolean() : wanted.asText();
      Object got = value == null || value.toString().isEmpty() ? null : simple(value);
      if (want == null ? got != null : !want.equals(got)) {
        throw new IllegalStateException(test.get("case") + " " + field.name() + ": " + got + ", not " + want);
      }
    }
  }

  public static void main(String[] args) throws IOException {
    ObjectMapper json = new ObjectMapper();
    Path cases = Path.of(args[0]).toAbsolutePath().normalize();
    Path root = cases.getParent().getParent().getParent().getParent();
    PrintWriter out = new PrintWriter(Files.newBufferedWriter(Path.of(args[1])));
    out.println("# Written by Apache Avro for Java " + Schema.class.getPackage().getImplementationVersion()
        + ": tests/support/golden/java");
    for (JsonNode test : json.readTree(cases.toFile())) {
      String text = test.has("file") ? Files.readString(root.resolve(test.get("file").asText())) : test.get("schema").toString();
      Schema schema = new Schema.Parser().parse(text);
      out.println("case " + test.get("case").asText());
      out.println("schema " + json.readTree(text));
      if (test.has("mapping")) {
        out.println("mapping " + test.get("mapping"));
      }
      out.println("canonical " + SchemaNormalization.toParsingForm(schema));
      out.println(String.format("fingerprint %016x", SchemaNormalization.parsingFingerprint64(schema)));
      for (JsonNode record : test.get("records")) {
        Object datum = plain(schema, record.get("write"));
        byte[] bytes = write(schema, datum, false), blocks = write(schema, datum, true);
        if (test.has("reader")) {
          check(test, schema, bytes, record.get("expect"), root);
        }
        out.println("datum " + HEX.formatHex(bytes));
        if (!Arrays.equals(bytes, blocks)) {
          out.println("blocks " + HEX.formatHex(blocks));
        }
        ByteBuffer message = new BinaryMessageEncoder<>(GenericData.get(), schema).encode(datum);
        byte[] whole = new byte[message.remaining()];
        message.get(whole);
        out.println("single " + HEX.formatHex(whole));
        out.println("expect " + record.get("expect"));
      }
    }
    out.close();
  }
}
