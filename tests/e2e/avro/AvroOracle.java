// SPDX-License-Identifier: Apache-2.0
// What Java's Avro makes of datums and files. Lines of JSON on stdin, one answer a line:
//   {"writer": S, "reader": S, "data": [HEX..]}  gives  [VALUE or {"error": TEXT} ..]
//   {"logical": S, "data": [HEX..]}               gives  [VALUE..]
//   {"file": PATH}                               gives  {"meta": {..}, "rows": [VALUE..]}
//   {"copy": PATH, "to": PATH, "codec": NAME, "sync_interval": N}  writes the same rows
// Bytes and fixed are {"hex": HEX}; logical types are left as the numbers they stand on, but for
// "logical": there they are the texts of Java's classes for them.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.avro.Conversion;
import org.apache.avro.Conversions;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

public class AvroOracle {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    public static void main(String[] args) throws IOException {
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            JsonNode job = MAPPER.readTree(line);
            JsonNode answer = job.has("file") ? readFile(job.get("file").asText())
                : job.has("copy") ? copyFile(job)
                : job.has("logical") ? readLogical(job)
                : resolve(job);
            System.out.println(MAPPER.writeValueAsString(answer));
        }
        System.out.flush();
    }

    private static JsonNode resolve(JsonNode job) {
        ArrayNode answers = NODES.arrayNode();
        Schema writer = new Schema.Parser().parse(job.get("writer").toString());
        Schema reader = new Schema.Parser().parse(job.get("reader").toString());
        for (JsonNode hex : job.get("data")) {
            try {
                answers.add(read(writer, reader, unhex(hex.asText())));
            } catch (Exception e) {
                answers.add(NODES.objectNode().put("error", String.valueOf(e.getMessage())));
            }
        }
        return answers;
    }

    private static JsonNode read(Schema writer, Schema reader, byte[] datum) throws IOException {
        return read(writer, reader, GenericData.get(), datum);
    }

    private static JsonNode read(Schema writer, Schema reader, GenericData data, byte[] datum)
        throws IOException {
        BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(datum, null);
        Object value = new GenericDatumReader<>(writer, reader, data).read(null, decoder);
        if (!decoder.isEnd()) {
            throw new IOException("bytes left");
        }
        return json(value);
    }

    private static JsonNode readLogical(JsonNode job) throws IOException {
        Schema schema = new Schema.Parser().parse(job.get("logical").toString());
        GenericData data = new GenericData();
        for (Conversion<?> conversion : new Conversion<?>[] {
                 new Conversions.DecimalConversion(), new Conversions.UUIDConversion(),
                 new TimeConversions.DateConversion(), new TimeConversions.TimeMillisConversion(),
                 new TimeConversions.TimeMicrosConversion(),
                 new TimeConversions.TimestampMillisConversion(),
                 new TimeConversions.TimestampMicrosConversion(),
                 new TimeConversions.LocalTimestampMillisConversion(),
                 new TimeConversions.LocalTimestampMicrosConversion()}) {
            data.addLogicalTypeConversion(conversion);
        }
        ArrayNode answers = NODES.arrayNode();
        for (JsonNode hex : job.get("data")) {
            answers.add(read(schema, schema, data, unhex(hex.asText())));
        }
        return answers;
    }

    private static JsonNode readFile(String path) throws IOException {
        ObjectNode answer = NODES.objectNode();
        ObjectNode meta = answer.putObject("meta");
        ArrayNode rows = answer.putArray("rows");
        try (DataFileReader<Object> file =
                 new DataFileReader<>(new File(path), new GenericDatumReader<>())) {
            for (String key : file.getMetaKeys()) {
                meta.put(key, file.getMetaString(key));
            }
            while (file.hasNext()) {
                rows.add(json(file.next()));
            }
        }
        return answer;
    }

    private static JsonNode copyFile(JsonNode job) throws IOException {
        try (DataFileReader<Object> from =
                 new DataFileReader<>(new File(job.get("copy").asText()), new GenericDatumReader<>());
             DataFileWriter<Object> to = new DataFileWriter<>(new GenericDatumWriter<>())) {
            to.setCodec(CodecFactory.fromString(job.get("codec").asText()));
            to.setSyncInterval(job.get("sync_interval").asInt());
            to.create(from.getSchema(), new File(job.get("to").asText()));
            while (from.hasNext()) {
                to.append(from.next());
            }
        }
        return NODES.objectNode();
    }

    private static JsonNode json(Object value) {
        if (value == null) {
            return NODES.nullNode();
        } else if (value instanceof Boolean) {
            return NODES.booleanNode((Boolean) value);
        } else if (value instanceof Integer || value instanceof Long) {
            return NODES.numberNode(((Number) value).longValue());
        } else if (value instanceof Number && !(value instanceof BigDecimal)) {
            return NODES.numberNode(((Number) value).doubleValue());
        } else if (value instanceof ByteBuffer) {
            ByteBuffer buffer = ((ByteBuffer) value).duplicate();
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            return hex(bytes);
        } else if (value instanceof GenericFixed) {
            return hex(((GenericFixed) value).bytes());
        } else if (value instanceof IndexedRecord) {
            return jsonOfRecord((IndexedRecord) value);
        } else if (value instanceof List) {
            ArrayNode array = NODES.arrayNode();
            ((List<?>) value).forEach(item -> array.add(json(item)));
            return array;
        } else if (value instanceof Map) {
            ObjectNode object = NODES.objectNode();
            ((Map<?, ?>) value).forEach((key, item) -> object.set(key.toString(), json(item)));
            return object;
        }
        return NODES.textNode(value.toString());
    }

    private static JsonNode jsonOfRecord(IndexedRecord record) {
        ObjectNode object = NODES.objectNode();
        for (Schema.Field field : record.getSchema().getFields()) {
            object.set(field.name(), json(record.get(field.pos())));
        }
        return object;
    }

    private static JsonNode hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) {
            text.append(String.format("%02x", b));
        }
        return NODES.objectNode().put("hex", text.toString());
    }

    private static byte[] unhex(String hex) {
        byte[] bytes = new byte[hex.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }
}
