"""Requests in 22 languages by kind of work. Written for this project (CC0).

Kinds: `social` (small talk), `lookup` (one-step questions), `ordinary` (a page of text, a how-to), `code` (a small
program), `hard` (proofs, designs, plans, analyses).
"""

from __future__ import annotations

# fmt: off
LANGUAGES: dict[str, dict[str, list[str]]] = {
    "de": {
        "social": [
            "hallo", "Guten Morgen!", "wie geht's dir?", "danke dir", "bist du ein Mensch oder ein Computer?", "erzähl mir einen Witz", "wie heißt du?",
            "tschüss, bis morgen", "ja genau", "nein, das stimmt nicht",
        ],
        "lookup": [
            "Wie spät ist es in Tokio?", "Was ist die Hauptstadt von Kanada?", "Wie viele Gramm hat ein Pfund?", "Wer hat die Zauberflöte komponiert?",
            "Was heißt Schmetterling auf Englisch?", "Wie wird das Wetter morgen in Köln?", "Wann wurde die Berliner Mauer gebaut?",
            "stell einen Wecker auf sieben Uhr", "Was ist 15 Prozent von 80?",
        ],
        "ordinary": [
            "Erkläre mir, wie eine Wärmepumpe funktioniert.", "Schreib eine kurze Entschuldigung an meinen Vermieter.",
            "Gib mir ein Rezept für Kartoffelsuppe.", "Welche Tipps hast du gegen Prüfungsangst?", "Was ist der Unterschied zwischen Wetter und Klima?",
            "Fasse die Handlung von Faust zusammen.",
        ],
        "code": [
            "Schreibe eine Python-Funktion, die prüft, ob ein Wort ein Palindrom ist.", "Schreib ein SQL, das die zehn umsatzstärksten Kunden liefert.",
        ],
        "hard": [
            "Beweise, dass die Wurzel aus 5 irrational ist, und verallgemeinere das Argument auf beliebige Primzahlen.",
            "Entwirf eine Architektur für ein hochverfügbares Buchungssystem und wäge Konsistenz gegen Latenz ab.",
            "Zeige, dass jede beschränkte monotone Folge konvergiert.",
            "Entwickle einen Migrationsplan von einem Monolithen zu Microservices mit Rückfallebene für jeden Schritt.",
            "Analysiere die Ursachen der Inflation der letzten Jahre und bewerte drei wirtschaftspolitische Antworten kritisch.",
        ],
    },
    "es": {
        "social": [
            "hola", "¡buenos días!", "¿cómo estás?", "muchas gracias", "¿eres un robot?", "cuéntame un chiste", "¿cómo te llamas?", "hasta mañana",
            "sí, claro", "no, eso no es correcto",
        ],
        "lookup": [
            "¿Qué hora es en Londres?", "¿Cuál es la capital de Australia?", "¿Cuántos metros hay en una milla?", "¿Quién pintó Las Meninas?",
            "¿Cómo se dice mariposa en inglés?", "¿Qué tiempo hará mañana en Sevilla?", "¿En qué año terminó la guerra civil española?",
            "pon una alarma a las siete", "¿cuánto es el 20 por ciento de 50?",
        ],
        "ordinary": [
            "Explica cómo funciona la fotosíntesis.", "Escribe un correo amable para pedir vacaciones.", "Dame una receta de tortilla de patatas.",
            "¿Qué consejos me das para dormir mejor?", "¿Cuál es la diferencia entre un virus y una bacteria?", "Resume el argumento de Don Quijote.",
        ],
        "code": [
            "Escribe una función en Python que cuente las vocales de una cadena.", "Escribe una consulta SQL que devuelva los clientes sin pedidos.",
        ],
        "hard": [
            "Demuestra que hay infinitos números primos y extiende el argumento a los de la forma 4k+3.",
            "Diseña un sistema de pagos distribuido tolerante a fallos y compara las alternativas de consistencia.",
            "Analiza las causas de la crisis de 2008 y evalúa críticamente las respuestas de política monetaria.",
            "Planifica la migración de una base de datos crítica sin interrupción del servicio, con marcha atrás en cada paso.",
            "Demuestra por inducción la desigualdad de Bernoulli y discute cuándo se alcanza la igualdad.",
        ],
    },
    "fr": {
        "social": [
            "bonjour", "salut, ça va ?", "merci beaucoup", "tu es un robot ?", "raconte-moi une blague", "comment tu t'appelles ?", "bonne nuit",
            "au revoir", "oui, exactement", "non, ce n'est pas ça",
        ],
        "lookup": [
            "Quelle heure est-il à New York ?", "Quelle est la capitale du Brésil ?", "Combien de litres dans un gallon ?",
            "Qui a écrit Les Misérables ?", "Comment dit-on papillon en anglais ?", "Quel temps fera-t-il demain à Lyon ?",
            "En quelle année a eu lieu la Révolution française ?", "mets un réveil à sept heures", "combien font 12 fois 14 ?",
        ],
        "ordinary": [
            "Explique comment fonctionne un moteur électrique.", "Rédige un mail poli pour annuler un rendez-vous.",
            "Donne-moi une recette de quiche lorraine.", "Quels conseils pour apprendre une langue ?",
            "Quelle est la différence entre le climat et la météo ?", "Résume l'intrigue de Madame Bovary.",
        ],
        "code": [
            "Écris une fonction Python qui renvoie les nombres premiers jusqu'à n.", "Écris une requête SQL qui compte les commandes par mois.",
        ],
        "hard": [
            "Démontre que racine de 7 est irrationnel et généralise la preuve.",
            "Conçois l'architecture d'une messagerie chiffrée de bout en bout et discute les compromis.",
            "Analyse les causes de la Première Guerre mondiale et confronte trois thèses d'historiens.",
            "Démontre que toute fonction continue sur un segment est bornée et atteint ses bornes.",
            "Propose un plan de migration vers le cloud pour une banque, avec les risques et un retour arrière à chaque étape.",
        ],
    },
    "it": {
        "social": [
            "ciao", "buongiorno!", "come stai?", "grazie mille", "sei un robot?", "raccontami una barzelletta", "come ti chiami?", "buonanotte",
            "sì, esatto", "no, non è così",
        ],
        "lookup": [
            "Che ore sono a Sydney?", "Qual è la capitale della Norvegia?", "Quanti centimetri ci sono in un pollice?", "Chi ha dipinto la Gioconda?",
            "Come si dice farfalla in inglese?", "Che tempo farà domani a Napoli?", "In che anno è caduto l'impero romano?",
            "imposta una sveglia alle sette", "quanto fa 144 diviso 12?",
        ],
        "ordinary": [
            "Spiega come funziona un vaccino.", "Scrivi una mail gentile per chiedere un rimborso.", "Dammi la ricetta del tiramisù.",
            "Quali consigli hai per studiare meglio?", "Qual è la differenza tra mito e leggenda?", "Riassumi la trama dei Promessi Sposi.",
        ],
        "code": [
            "Scrivi una funzione Python che inverte una stringa.", "Scrivi una query SQL che trovi i duplicati in una tabella.",
        ],
        "hard": [
            "Dimostra che la radice di 3 è irrazionale e generalizza il risultato.",
            "Progetta un sistema di prenotazione distribuito e valuta i compromessi tra coerenza e disponibilità.",
            "Analizza le cause della caduta dell'impero romano confrontando almeno tre interpretazioni.",
            "Dimostra il teorema di Weierstrass e discuti l'importanza delle ipotesi.",
            "Pianifica la migrazione di un monolite a microservizi senza interruzioni, con piano di ripristino.",
        ],
    },
    "pt": {
        "social": [
            "oi", "bom dia!", "tudo bem com você?", "muito obrigado", "você é um robô?", "me conta uma piada", "qual é o seu nome?", "até amanhã",
            "sim, isso mesmo", "não, está errado",
        ],
        "lookup": [
            "Que horas são em Lisboa?", "Qual é a capital da Argentina?", "Quantos quilos são 10 libras?", "Quem escreveu Dom Casmurro?",
            "Como se diz borboleta em inglês?", "Como vai estar o tempo amanhã no Rio?", "Em que ano o Brasil foi descoberto?",
            "coloca um alarme para as sete", "quanto é 15% de 200?",
        ],
        "ordinary": [
            "Explique como funciona um painel solar.", "Escreva um e-mail educado pedindo um aumento.", "Me dê uma receita de pão de queijo.",
            "Quais dicas você dá para falar em público?", "Qual é a diferença entre vírus e bactéria?", "Resuma a história de Dom Casmurro.",
        ],
        "code": [
            "Escreva uma função em Python que ordene uma lista de dicionários.", "Escreva uma consulta SQL que some as vendas por região.",
        ],
        "hard": [
            "Demonstre que raiz de 2 é irracional e generalize o resultado.",
            "Projete um sistema de pagamentos distribuído e compare as alternativas de consistência.",
            "Analise as causas da desigualdade no Brasil e avalie criticamente três políticas públicas.",
            "Demonstre por indução a fórmula da soma dos cubos.",
            "Planeje a migração de um banco de dados crítico sem indisponibilidade, com plano de reversão.",
        ],
    },
    "nl": {
        "social": [
            "hoi", "goedemorgen", "hoe gaat het?", "bedankt", "ben je een robot?", "vertel een mop", "tot ziens",
        ],
        "lookup": [
            "Hoe laat is het in Londen?", "Wat is de hoofdstad van Noorwegen?", "Wie schilderde de Nachtwacht?", "Hoeveel kilometer is een mijl?",
            "Wat betekent fiets in het Engels?", "wat voor weer wordt het morgen?",
        ],
        "ordinary": [
            "Leg uit hoe een warmtepomp werkt.", "Schrijf een korte e-mail om een afspraak te verzetten.", "Geef me een recept voor erwtensoep.",
            "Wat is het verschil tussen weer en klimaat?",
        ],
        "code": [
            "Schrijf een functie in Python die controleert of een jaartal een schrikkeljaar is.",
        ],
        "hard": [
            "Bewijs dat er oneindig veel priemgetallen zijn en generaliseer het argument.",
            "Ontwerp een schaalbaar reserveringssysteem en weeg consistentie af tegen beschikbaarheid.",
            "Vergelijk drie strategieën om een monoliet te migreren en werk de beste stap voor stap uit.",
        ],
    },
    "pl": {
        "social": [
            "cześć", "dzień dobry", "jak się masz?", "dziękuję bardzo", "czy jesteś robotem?", "opowiedz dowcip", "do widzenia",
        ],
        "lookup": [
            "Która godzina jest w Tokio?", "Jaka jest stolica Hiszpanii?", "Kto napisał Pana Tadeusza?", "Ile metrów ma mila?",
            "Jak jest motyl po angielsku?", "jaka będzie jutro pogoda w Gdańsku?",
        ],
        "ordinary": [
            "Wyjaśnij, jak działa silnik spalinowy.", "Napisz uprzejmy mail z prośbą o urlop.", "Podaj przepis na pierogi.",
            "Jaka jest różnica między wirusem a bakterią?",
        ],
        "code": [
            "Napisz funkcję w Pythonie, która liczy silnię.",
        ],
        "hard": [
            "Udowodnij, że pierwiastek z 3 jest liczbą niewymierną, i uogólnij wynik.",
            "Zaprojektuj rozproszony system płatności i porównaj warianty spójności.",
            "Przeanalizuj przyczyny kryzysu 2008 roku i oceń trzy odpowiedzi polityki gospodarczej.",
        ],
    },
    "ru": {
        "social": [
            "привет", "доброе утро!", "как дела?", "спасибо большое", "ты робот?", "расскажи анекдот", "как тебя зовут?", "до свидания", "да, верно",
            "нет, это неправильно",
        ],
        "lookup": [
            "Который час в Токио?", "Какая столица Австралии?", "Сколько метров в миле?", "Кто написал «Войну и мир»?", "Как по-английски бабочка?",
            "Какая завтра погода в Москве?", "В каком году закончилась Вторая мировая война?", "поставь будильник на семь",
            "сколько будет 17 умножить на 6?",
        ],
        "ordinary": [
            "Объясни, как работает тепловой насос.", "Напиши вежливое письмо с просьбой перенести встречу.", "Дай рецепт борща.",
            "Чем отличается вирус от бактерии?", "Кратко перескажи сюжет «Евгения Онегина».", "Какие есть советы для изучения языка?",
        ],
        "code": [
            "Напиши функцию на Python, которая проверяет, является ли строка палиндромом.", "Напиши SQL-запрос, который находит повторяющиеся записи.",
        ],
        "hard": [
            "Докажи, что корень из 3 иррационален, и обобщи доказательство.",
            "Спроектируй отказоустойчивую систему платежей и сравни варианты согласованности.",
            "Проанализируй причины кризиса 2008 года и оцени три возможных ответа экономической политики.",
            "Докажи, что любая ограниченная монотонная последовательность сходится.",
            "Разработай план миграции монолита на микросервисы без простоя с откатом на каждом шаге.",
        ],
    },
    "uk": {
        "social": [
            "привіт", "добрий день", "як справи?", "дуже дякую", "ти робот?", "розкажи жарт",
        ],
        "lookup": [
            "Котра година в Києві?", "Яка столиця Канади?", "Хто написав Кобзар?", "Скільки грамів у фунті?", "яка завтра погода?",
        ],
        "ordinary": [
            "Поясни, як працює двигун.", "Напиши ввічливий лист з проханням про відпустку.", "Дай рецепт вареників.",
        ],
        "code": [
            "Напиши функцію на Python, яка рахує голосні.",
        ],
        "hard": [
            "Доведи, що простих чисел нескінченно багато, і узагальни.", "Спроєктуй розподілену систему бронювання та порівняй варіанти узгодженості.",
        ],
    },
    "tr": {
        "social": [
            "merhaba", "günaydın", "nasılsın?", "çok teşekkür ederim", "sen robot musun?", "bana bir fıkra anlat", "adın ne?", "hoşça kal",
        ],
        "lookup": [
            "Londra'da saat kaç?", "Brezilya'nın başkenti neresi?", "Bir milde kaç metre var?", "İstanbul ne zaman fethedildi?",
            "Kelebek İngilizce nasıl denir?", "yarın Ankara'da hava nasıl olacak?",
        ],
        "ordinary": [
            "Isı pompasının nasıl çalıştığını açıkla.", "İzin istemek için kibar bir e-posta yaz.", "Bana mercimek çorbası tarifi ver.",
            "Virüs ile bakteri arasındaki fark nedir?",
        ],
        "code": [
            "Bir sayının asal olup olmadığını kontrol eden bir Python fonksiyonu yaz.",
        ],
        "hard": [
            "Kök 3'ün irrasyonel olduğunu kanıtla ve sonucu genelle.", "Dağıtık bir ödeme sistemi tasarla ve tutarlılık seçeneklerini karşılaştır.",
            "2008 krizinin nedenlerini analiz et ve üç politika yanıtını değerlendir.",
        ],
    },
    "ar": {
        "social": [
            "مرحبا", "السلام عليكم", "كيف حالك؟", "شكرا جزيلا", "هل أنت روبوت؟", "احك لي نكتة", "ما اسمك؟", "إلى اللقاء",
        ],
        "lookup": [
            "كم الساعة في لندن؟", "ما هي عاصمة اليابان؟", "كم غراما في الرطل؟", "من كتب ألف ليلة وليلة؟", "ما معنى كلمة butterfly؟",
            "كيف سيكون الطقس غدا في دبي؟", "متى انتهت الحرب العالمية الثانية؟",
        ],
        "ordinary": [
            "اشرح كيف تعمل الألواح الشمسية.", "اكتب رسالة مهذبة لطلب إجازة.", "أعطني وصفة للحمص.", "ما الفرق بين الفيروس والبكتيريا؟",
        ],
        "code": [
            "اكتب دالة بلغة بايثون تحسب مضروب عدد.",
        ],
        "hard": [
            "أثبت أن هناك عددا لا نهائيا من الأعداد الأولية ثم عمم البرهان.", "صمم نظام مدفوعات موزعا يتحمل الأعطال وقارن بين خيارات الاتساق.",
            "حلل أسباب الأزمة المالية لعام 2008 وقيّم ثلاث سياسات للرد عليها.",
        ],
    },
    "he": {
        "social": [
            "שלום", "בוקר טוב", "מה שלומך?", "תודה רבה", "אתה רובוט?", "ספר לי בדיחה",
        ],
        "lookup": [
            "מה השעה בלונדון?", "מהי בירת צרפת?", "כמה גרם יש בקילו?", "מי כתב את המלט?", "מה מזג האוויר מחר?",
        ],
        "ordinary": [
            "הסבר איך עובד מנוע חשמלי.", "כתוב מכתב מנומס לבקשת חופשה.", "תן לי מתכון לשקשוקה.",
        ],
        "code": [
            "כתוב פונקציה בפייתון שבודקת אם מספר הוא ראשוני.",
        ],
        "hard": [
            "הוכח ששורש 3 אינו רציונלי והכלל את התוצאה.", "תכנן מערכת תשלומים מבוזרת והשווה בין חלופות העקביות.",
        ],
    },
    "hi": {
        "social": [
            "नमस्ते", "आप कैसे हैं?", "बहुत धन्यवाद", "क्या आप रोबोट हैं?", "एक चुटकुला सुनाओ", "आपका नाम क्या है?",
        ],
        "lookup": [
            "जापान की राजधानी क्या है?", "लंदन में अभी कितने बजे हैं?", "एक मील में कितने मीटर होते हैं?", "रामायण किसने लिखी?",
            "कल दिल्ली में मौसम कैसा रहेगा?", "भारत कब आज़ाद हुआ?",
        ],
        "ordinary": [
            "समझाइए कि सोलर पैनल कैसे काम करता है।", "छुट्टी माँगने के लिए एक विनम्र ईमेल लिखिए।", "मुझे दाल मखनी की रेसिपी बताइए।",
            "वायरस और बैक्टीरिया में क्या अंतर है?",
        ],
        "code": [
            "पायथन में एक फ़ंक्शन लिखिए जो अभाज्य संख्या की जाँच करे।",
        ],
        "hard": [
            "सिद्ध कीजिए कि 3 का वर्गमूल अपरिमेय है और परिणाम को व्यापक बनाइए।",
            "एक वितरित भुगतान प्रणाली का डिज़ाइन तैयार कीजिए और संगति के विकल्पों की तुलना कीजिए।",
            "2008 के वित्तीय संकट के कारणों का विश्लेषण कीजिए और तीन नीतियों का मूल्यांकन कीजिए।",
        ],
    },
    "zh": {
        "social": [
            "你好", "早上好", "你好吗？", "谢谢你", "你是机器人吗？", "讲个笑话", "你叫什么名字？", "再见", "对的", "不，这不对",
        ],
        "lookup": [
            "现在东京几点？", "澳大利亚的首都是哪里？", "一英里等于多少米？", "《红楼梦》是谁写的？", "蝴蝶用英语怎么说？", "明天北京天气怎么样？", "第二次世界大战是哪一年结束的？", "设一个七点的闹钟", "15乘以8等于多少",
        ],
        "ordinary": [
            "解释一下太阳能电池板是怎么工作的。", "写一封礼貌的请假邮件。", "给我一个麻婆豆腐的食谱。", "病毒和细菌有什么区别？", "总结一下《西游记》的故事。", "怎样才能睡得更好？",
        ],
        "code": [
            "用Python写一个判断回文的函数。", "写一条SQL查询销售额最高的十个客户。",
        ],
        "hard": [
            "证明素数有无穷多个，并推广到形如4k+3的素数。", "设计一个高可用的分布式支付系统，比较各种一致性方案的权衡。", "分析2008年金融危机的原因，并评估三种政策应对。", "用数学归纳法证明伯努利不等式，并讨论等号成立的条件。",
            "为一个单体应用制定零停机迁移到微服务的方案，包括每一步的回滚。",
        ],
    },
    "ja": {
        "social": [
            "こんにちは", "おはようございます", "元気ですか？", "ありがとうございます", "あなたはロボットですか？", "冗談を言って", "名前は何ですか？", "さようなら",
        ],
        "lookup": [
            "ロンドンは今何時ですか？", "カナダの首都はどこですか？", "1マイルは何メートルですか？", "『坊っちゃん』を書いたのは誰ですか？", "蝶は英語で何と言いますか？", "明日の東京の天気は？", "第二次世界大戦はいつ終わりましたか？",
        ],
        "ordinary": [
            "ヒートポンプの仕組みを説明してください。", "会議を延期する丁寧なメールを書いてください。", "肉じゃがのレシピを教えて。", "ウイルスと細菌の違いは何ですか？",
        ],
        "code": [
            "回文かどうかを判定するPythonの関数を書いてください。",
        ],
        "hard": [
            "ルート3が無理数であることを証明し、結果を一般化してください。", "分散型の決済システムを設計し、整合性の選択肢を比較してください。", "2008年の金融危機の原因を分析し、三つの政策対応を評価してください。", "単調有界数列が収束することを証明してください。",
        ],
    },
    "ko": {
        "social": [
            "안녕하세요", "좋은 아침", "잘 지내요?", "정말 고마워요", "너는 로봇이야?", "농담 하나 해줘", "이름이 뭐야?",
        ],
        "lookup": [
            "지금 런던은 몇 시야?", "캐나다의 수도는 어디인가요?", "1마일은 몇 미터예요?", "홍길동전을 쓴 사람은 누구야?", "나비는 영어로 뭐예요?", "내일 서울 날씨 어때?",
        ],
        "ordinary": [
            "태양광 패널이 어떻게 작동하는지 설명해 주세요.", "휴가를 요청하는 정중한 이메일을 써 주세요.", "김치찌개 만드는 방법을 알려줘.", "바이러스와 세균의 차이는 무엇인가요?",
        ],
        "code": [
            "회문인지 확인하는 파이썬 함수를 작성해줘.",
        ],
        "hard": [
            "루트 3이 무리수임을 증명하고 결과를 일반화해 주세요.", "장애에 강한 분산 결제 시스템을 설계하고 일관성 대안을 비교해 주세요.", "2008년 금융 위기의 원인을 분석하고 세 가지 정책 대응을 평가해 주세요.",
        ],
    },
    "vi": {
        "social": [
            "xin chào", "bạn khỏe không?", "cảm ơn nhiều", "bạn là robot à?", "kể cho tôi một câu chuyện cười", "tạm biệt",
        ],
        "lookup": [
            "Bây giờ ở London là mấy giờ?", "Thủ đô của Canada là gì?", "Ai viết Truyện Kiều?", "Một dặm bằng bao nhiêu mét?",
            "thời tiết Hà Nội ngày mai thế nào?",
        ],
        "ordinary": [
            "Giải thích cách hoạt động của pin mặt trời.", "Viết một email lịch sự xin nghỉ phép.", "Cho tôi công thức nấu phở.",
            "Sự khác biệt giữa virus và vi khuẩn là gì?",
        ],
        "code": [
            "Viết một hàm Python kiểm tra số nguyên tố.",
        ],
        "hard": [
            "Chứng minh căn bậc hai của 3 là số vô tỉ và tổng quát hóa kết quả.",
            "Thiết kế một hệ thống thanh toán phân tán chịu lỗi và so sánh các phương án nhất quán.",
            "Phân tích nguyên nhân khủng hoảng tài chính 2008 và đánh giá ba chính sách ứng phó.",
        ],
    },
    "id": {
        "social": [
            "halo", "selamat pagi", "apa kabar?", "terima kasih banyak", "apakah kamu robot?", "ceritakan lelucon", "siapa namamu?",
        ],
        "lookup": [
            "Jam berapa sekarang di London?", "Apa ibu kota Kanada?", "Siapa penulis Laskar Pelangi?", "Berapa meter dalam satu mil?",
            "bagaimana cuaca besok di Jakarta?",
        ],
        "ordinary": [
            "Jelaskan cara kerja panel surya.", "Tulis email sopan untuk meminta cuti.", "Beri saya resep rendang.", "Apa perbedaan virus dan bakteri?",
        ],
        "code": [
            "Tulis fungsi Python yang memeriksa bilangan prima.",
        ],
        "hard": [
            "Buktikan bahwa akar 3 irasional dan perluas hasilnya.",
            "Rancang sistem pembayaran terdistribusi yang tahan gangguan dan bandingkan pilihan konsistensi.",
            "Analisis penyebab krisis keuangan 2008 dan evaluasi tiga respons kebijakan.",
        ],
    },
    "th": {
        "social": [
            "สวัสดี", "สบายดีไหม", "ขอบคุณมาก", "คุณเป็นหุ่นยนต์หรือเปล่า", "เล่าเรื่องตลกให้ฟังหน่อย",
        ],
        "lookup": [
            "ตอนนี้ลอนดอนกี่โมง", "เมืองหลวงของแคนาดาคืออะไร", "ใครแต่งพระอภัยมณี", "หนึ่งไมล์เท่ากับกี่เมตร", "พรุ่งนี้อากาศที่เชียงใหม่เป็นอย่างไร",
        ],
        "ordinary": [
            "อธิบายวิธีการทำงานของแผงโซลาร์เซลล์", "เขียนอีเมลสุภาพเพื่อขอลางาน", "ขอสูตรต้มยำกุ้งหน่อย",
        ],
        "code": [
            "เขียนฟังก์ชัน Python ที่ตรวจสอบจำนวนเฉพาะ",
        ],
        "hard": [
            "พิสูจน์ว่ารากที่สองของ 3 เป็นจำนวนอตรรกยะและขยายผลลัพธ์", "ออกแบบระบบชำระเงินแบบกระจายที่ทนต่อความผิดพลาดและเปรียบเทียบทางเลือก",
        ],
    },
    "sv": {
        "social": [
            "hej", "god morgon", "hur mår du?", "tack så mycket", "är du en robot?", "berätta ett skämt",
        ],
        "lookup": [
            "Vad är klockan i London?", "Vad heter Kanadas huvudstad?", "Vem skrev Pippi Långstrump?", "Hur många meter är en mil?",
            "vad blir det för väder imorgon?",
        ],
        "ordinary": [
            "Förklara hur en värmepump fungerar.", "Skriv ett artigt mejl om att flytta ett möte.", "Ge mig ett recept på köttbullar.",
        ],
        "code": [
            "Skriv en Python-funktion som kontrollerar om ett ord är ett palindrom.",
        ],
        "hard": [
            "Bevisa att roten ur 3 är irrationell och generalisera resultatet.",
            "Designa ett distribuerat betalsystem och jämför alternativen för konsistens.",
        ],
    },
    "cs": {
        "social": [
            "ahoj", "dobrý den", "jak se máš?", "děkuji moc", "jsi robot?", "řekni vtip",
        ],
        "lookup": [
            "Kolik je hodin v Londýně?", "Jaké je hlavní město Kanady?", "Kdo napsal Babičku?", "Kolik metrů má míle?", "jaké bude zítra počasí?",
        ],
        "ordinary": [
            "Vysvětli, jak funguje tepelné čerpadlo.", "Napiš zdvořilý e-mail s žádostí o dovolenou.", "Dej mi recept na svíčkovou.",
        ],
        "code": [
            "Napiš funkci v Pythonu, která ověří prvočíslo.",
        ],
        "hard": [
            "Dokaž, že odmocnina ze 3 je iracionální, a výsledek zobecni.", "Navrhni distribuovaný platební systém a porovnej varianty konzistence.",
        ],
    },
    "ro": {
        "social": [
            "salut", "bună dimineața", "ce mai faci?", "mulțumesc mult", "ești robot?", "spune-mi o glumă",
        ],
        "lookup": [
            "Cât e ceasul la Londra?", "Care este capitala Canadei?", "Cine a scris Luceafărul?", "Câți metri are o milă?", "cum va fi vremea mâine?",
        ],
        "ordinary": [
            "Explică cum funcționează un panou solar.", "Scrie un e-mail politicos pentru a cere concediu.", "Dă-mi o rețetă de sarmale.",
        ],
        "code": [
            "Scrie o funcție Python care verifică dacă un număr este prim.",
        ],
        "hard": [
            "Demonstrează că radical din 3 este irațional și generalizează rezultatul.",
            "Proiectează un sistem de plăți distribuit și compară variantele de consistență.",
        ],
    },
    "el": {
        "social": [
            "γεια σου", "καλημέρα", "τι κάνεις;", "ευχαριστώ πολύ", "είσαι ρομπότ;",
        ],
        "lookup": [
            "Τι ώρα είναι στο Λονδίνο;", "Ποια είναι η πρωτεύουσα του Καναδά;", "Ποιος έγραψε την Οδύσσεια;", "πόσα μέτρα είναι ένα μίλι;",
        ],
        "ordinary": [
            "Εξήγησε πώς λειτουργεί ένα φωτοβολταϊκό πάνελ.", "Γράψε ένα ευγενικό email για άδεια.", "Δώσε μου μια συνταγή για μουσακά.",
        ],
        "code": [
            "Γράψε μια συνάρτηση Python που ελέγχει αν ένας αριθμός είναι πρώτος.",
        ],
        "hard": [
            "Απόδειξε ότι η ρίζα του 3 είναι άρρητη και γενίκευσε το αποτέλεσμα.",
            "Σχεδίασε ένα κατανεμημένο σύστημα πληρωμών και σύγκρινε τις εναλλακτικές συνέπειας.",
        ],
    },
}
# fmt: on
